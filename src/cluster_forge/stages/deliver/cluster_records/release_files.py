"""The files of releases in a cluster, folder by folder: what several releases have in common is kept once (ADR 0039)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.errors import ReleaseError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops import git_server, release
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.release import Folder, Release
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Query
from cluster_forge.stages.deliver import creation
from cluster_forge.stages.deliver.tools import DeliverTools


def files(chosen: Release, tools: DeliverTools) -> FileTree:
    """The files of a release, to deploy it again.

    Raises:
        ReleaseError, ExceptionGroup: for each folder that is missing or damaged.
    """
    wanted = list(dict.fromkeys(one for folder in chosen.folders for one in release.content_ids(chosen.stack, folder)))
    kept = dict(zip(wanted, tools.workers.map(tools.cluster.get, wanted), strict=True))
    return join(*gathered(partial(_folder, chosen.stack, folder, kept) for folder in chosen.folders))


def keep(stack: str, files: FileTree, former: Sequence[Release], tools: DeliverTools) -> tuple[Folder, ...]:
    """Write what the cluster does not have yet: of a stack that has hardly changed, little, and only that is packed.

    The folders of the files, in their order.
    """
    query = labeled(f"{STACK_LABEL}={stack},{release.CONTENT_LABEL}")
    present = {name_of(body) for body in tools.cluster.list(query).items}
    known = {
        folder.digest: folder
        for one in former
        for folder in one.folders
        if all(identity.name in present for identity in release.content_ids(stack, folder))
    }

    folders = release.folders(files)
    digests = {path: content.digest for path, content in folders.items()}
    new = {digest: path for path, digest in digests.items() if digest not in known}
    packed = tools.workers.map(
        lambda path: release.kept(path, folders[path]), new.values(), weight=lambda path: folders[path].size
    )
    groups = tuple(release.grouped(packed))
    bodies = [body for group in groups for body in release.contents(stack, group) if name_of(body) not in present]
    tools.workers.map(lambda body: creation.create(body, tools.cluster), bodies)  # one of the same name is the same
    known |= {folder.digest: folder for group in groups for folder, _ in group}
    return tuple(replace(known[digest], path=path) for path, digest in digests.items())


def delete_unused(stack: str, kept: Iterable[Release], tools: DeliverTools) -> None:
    """Delete the files that no release has any more."""
    used = {identity.name for one in kept for folder in one.folders for identity in release.content_ids(stack, folder)}
    query = labeled(f"{STACK_LABEL}={stack},{release.CONTENT_LABEL}")
    for body in tools.cluster.list(query).items:
        if name_of(body) not in used:
            tools.cluster.delete(release.secret_id(name_of(body)))


def secrets(labels: str) -> Query:
    """The Secrets with these labels among those that releases consist of."""
    return Query(group="", kind="Secret", namespace=git_server.NAMESPACE, labels=labels)


def labeled(labels: str) -> Query:
    """The same, without what is in them."""
    return replace(secrets(labels), metadata_only=True)


def name_of(body: Body) -> str:
    """The name of an object."""
    return str(body["metadata"]["name"])


def _folder(stack: str, folder: Folder, kept: Mapping[ObjectId, Body | None]) -> FileTree:
    bodies = {identity: kept[identity] for identity in release.content_ids(stack, folder)}
    if missing := [identity for identity, body in bodies.items() if body is None]:
        raise ReleaseError(
            f"{folder.path or 'bootstrap'} of the release is not in the cluster any more",
            where=str(missing[0]),
            fix="deploy the stack's folder of that version instead",
        )
    return release.unpacked(folder, (body for body in bodies.values() if body))
