"""A release: one deployment of a stack, as the cluster keeps it in Secrets, with the files to deploy it again.

::

    release.<stack>.<number>              type cluster-forge/release: the `Release` as JSON
    release.<stack>.<cluster>.<number>    the same, of a cluster that a central Argo CD delivers to
    release.<stack>.<digest>.<part>       type cluster-forge/release-content: folders of its files, packed

The files are kept by folder, each named by the digest of what is in it: releases share the folders of components that are
the same in both. A folder's own name is not in the digest, since it begins with the component's place in the order. Small
folders that are new together share a Secret (a request for each would be as many as the components), a large one has
several.
"""

from __future__ import annotations

import base64
import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Final

from cluster_forge.foundation import gzip_files, json_codec, tar_members
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ArchiveError, ReleaseError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.json_codec import ADDED
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import git_chunks, git_server
from cluster_forge.gitops.parts import CLUSTER_LABEL, STACK_LABEL
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body

RECORD_TYPE: Final = "cluster-forge/release"
CONTENT_TYPE: Final = "cluster-forge/release-content"
NUMBER_LABEL: Final = "cluster-forge/release"
"""On the Secret of a release: its number. Parts of files do not have it."""
CONTENT_LABEL: Final = "cluster-forge/release-content"
"""On a part of a folder: the beginning of the folder's digest."""
_KEY: Final = "release"
_PACKED: Final = "packed"
_NAMED: Final = 32
"""Digits of a digest in a name."""
_GROUP: Final = re.compile(f"[0-9a-f]{{{_NAMED}}}")
_PART: Final = 700 * 1024
"""Bytes in one Secret, of 1 MiB at most (Kubernetes, "Secrets": "limited to 1MiB")."""
_LARGEST: Final = 512 << 20
"""Bytes of one folder, unpacked."""
_MOST_PARTS: Final = _LARGEST // _PART + 2
_COMPONENTS: Final = "bootstrap/waves/"
_DEPTH: Final = 3
"""Parts of the path of a component's folder: ``bootstrap/waves/007-grafana``."""


class Result(StrEnum):
    """What became of a deployment."""

    RUNNING = "running"
    DEPLOYED = "deployed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """It was running, and the next one has found that it no longer was."""


STOPPED: Final = "it was stopped by Ctrl-C or a signal"
"""The message of what its user has interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedComponent:
    """A component: the version of its chart, and the digest of what is delivered of it."""

    name: ComponentName
    version: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder of the files; ``path`` is empty for those that are in none of a component. ``size``: bytes, unpacked.

    ``group`` names the Secret that it shares with others, in which its digest is the key; empty: it has its own.
    """

    path: str
    digest: Digest
    parts: int
    size: int
    group: Annotated[str, ADDED] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One deployment. ``began`` and ``ended`` are RFC 3339; ``image`` is the digest of the stack's image.

    ``cluster`` is one that a central Argo CD delivers to, from the cluster that keeps the release; empty: that cluster itself.
    ``user`` is the user as the cluster names it, ``run`` the process that deployed (``HOST/PROCESS/TIME``). ``cause`` is empty, or
    says what it was beside a deployment: ``rollback to 3``. Without ``folders`` it cannot be deployed again (`deploy.sh`).
    ``narrowed`` says in words which components it has, if not all of the stack.
    """

    number: int
    stack: str
    version: str
    cluster: Annotated[str, ADDED] = ""
    environment: Annotated[str, ADDED] = ""
    narrowed: Annotated[str, ADDED] = ""
    image: Annotated[str, ADDED] = ""
    engine: Annotated[str, ADDED] = ""
    cause: Annotated[str, ADDED] = ""
    user: Annotated[str, ADDED] = ""
    run: Annotated[str, ADDED] = ""
    tool: Annotated[str, ADDED] = ""
    began: Annotated[str, ADDED] = ""
    ended: Annotated[str, ADDED] = ""
    result: Result = Result.RUNNING
    message: Annotated[str, ADDED] = ""
    components: Annotated[tuple[ReleasedComponent, ...], ADDED] = ()
    folders: Annotated[tuple[Folder, ...], ADDED] = ()

    @property
    def id(self) -> ObjectId:
        return record_id(self.stack, self.number, self.cluster)


def record_id(stack: str, number: int, cluster: str = "") -> ObjectId:
    """The Secret of a release; ``cluster`` is one that a central Argo CD delivers to."""
    return secret_id(".".join(filter(None, ("release", stack, cluster, str(number)))))


def secret(release: Release) -> Body:
    """The Secret that holds the release, without its files."""
    labels = {NUMBER_LABEL: str(release.number)} | ({CLUSTER_LABEL: release.cluster} if release.cluster else {})
    return _body(release.id.name, release.stack, RECORD_TYPE, labels, {_KEY: json_codec.dump(release)})


def read(body: Body) -> Release:
    """The release in its Secret.

    Raises:
        ReleaseError: if it holds none, or that of another Secret.
    """
    try:
        release = json_codec.load(Release, _data(body, _KEY))
    except json_codec.DecodeError as error:
        raise _no_release(body, str(error)) from error
    if release.id != ObjectId.of(body):
        raise _no_release(body, f"it says that it is {release.id}")
    if not all(folder.group == "" or _GROUP.fullmatch(folder.group) for folder in release.folders):
        raise _no_release(body, "a folder of it is in a Secret of another kind")
    if any(not 0 < folder.parts <= _MOST_PARTS or not 0 <= folder.size <= _LARGEST for folder in release.folders):
        raise _no_release(body, "a folder of it is larger than one can be")
    return release


def _no_release(body: Body, reason: str) -> ReleaseError:
    return ReleaseError(
        f"is not a release as this version keeps it: {reason}",
        where=str(ObjectId.of(body)),
        fix="delete the Secret: the release is lost, the others are not; "
        f"kubectl delete secret {body['metadata']['name']} --namespace {git_server.NAMESPACE}",
    )


def folders(files: FileTree) -> dict[str, FileTree]:
    """The files by the folder that they are kept with."""
    sorted_out: dict[str, dict[str, bytes]] = {}
    for path, content in files.files.items():
        folder = "/".join(path.split("/")[:_DEPTH]) if path.startswith(_COMPONENTS) else ""
        sorted_out.setdefault(folder, {})[path.removeprefix(f"{folder}/")] = content
    return {folder: FileTree(inside) for folder, inside in sorted(sorted_out.items())}


def kept(path: str, files: FileTree) -> tuple[Folder, bytes]:
    """A folder, and its files packed."""
    packed = gzip.compress(git_chunks.archive(files), 6, mtime=0)
    return Folder(path=path, digest=files.digest, parts=-(-len(packed) // _PART), size=files.size), packed


def grouped(packed: Sequence[tuple[Folder, bytes]]) -> Iterator[tuple[tuple[Folder, bytes], ...]]:
    """The folders that share a Secret, in their order; each says where it is."""
    group: list[tuple[Folder, bytes]] = []
    for one in packed:
        if sum(len(content) for _, content in [*group, one]) > _PART:
            yield _named(group)
            group = []
        group.append(one)
    yield _named(group)


def _named(group: Sequence[tuple[Folder, bytes]]) -> tuple[tuple[Folder, bytes], ...]:
    if len(group) < 2:
        return tuple(group)
    name = Digest.of("".join(folder.digest.hex for folder, _ in group).encode()).hex[:_NAMED]
    return tuple((replace(folder, group=name), content) for folder, content in group)


def content_ids(stack: str, folder: Folder) -> tuple[ObjectId, ...]:
    """The Secrets with the parts of a folder."""
    name = folder.group or folder.digest.hex[:_NAMED]
    return tuple(secret_id(f"release.{stack}.{name}.{part}") for part in range(folder.parts))


def contents(stack: str, group: Sequence[tuple[Folder, bytes]]) -> Iterator[Body]:
    """The Secret that folders share, or those with the parts of one."""
    if not group:
        return
    folder, packed = group[0]
    labels = {CONTENT_LABEL: folder.group or folder.digest.hex[:_NAMED]}
    for part, identity in enumerate(content_ids(stack, folder)):
        data = {_PACKED: packed[part * _PART : (part + 1) * _PART]}
        if folder.group:
            data = {_key(one): content for one, content in group}
        yield {**_body(identity.name, stack, CONTENT_TYPE, labels, data), "immutable": True}


def _key(folder: Folder) -> str:
    return folder.digest.hex[:_NAMED] if folder.group else _PACKED


def unpacked(folder: Folder, bodies: Iterator[Body]) -> FileTree:
    """The files of a folder, from its parts, under the folder's path.

    Raises:
        ReleaseError: if they are not what was kept.
    """
    packed = b"".join(_data(body, _key(folder)) for body in bodies)
    try:
        tar = gzip_files.unpacked(packed, min(2 * folder.size + _PART, _LARGEST))
        files = FileTree(
            {
                member.name: tar[member.data : member.data + member.size]
                for member in tar_members.members(tar)
                if member.is_file
            }
        )
    except (OSError, EOFError, ValueError, ArchiveError, zlib.error, tarfile.TarError) as error:
        raise _damaged(folder, str(error)) from error
    if files.digest != folder.digest:
        raise _damaged(folder, f"its digest is {files.digest}")
    return files.under(folder.path) if folder.path else files


def _damaged(folder: Folder, reason: str) -> ReleaseError:
    return ReleaseError(
        f"{folder.path or 'bootstrap'} of the release is damaged: {reason}",
        fix="deploy the stack's folder of that version instead",
    )


def secret_id(name: str) -> ObjectId:
    """A Secret of this name, beside the claims."""
    return ObjectId(group="", kind="Secret", namespace=git_server.NAMESPACE, name=name)


def _body(name: str, stack: str, kind: str, labels: Mapping[str, str], data: Mapping[str, bytes]) -> Body:
    own = {"app.kubernetes.io/managed-by": "cluster-forge", STACK_LABEL: stack}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": git_server.NAMESPACE, "labels": {**own, **labels}},
        "type": kind,
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def _data(body: Body, key: str) -> bytes:
    value = (body.get("data") or {}).get(key)
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        return b""
