"""pull: a stack's folder as `cast` wrote it, from what `push` sent; everything verified, written as a whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeGuard

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError, FetchError, ImageError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import counted
from cluster_forge.oci import artifact, manifest, unpacking
from cluster_forge.oci.image import Descriptor
from cluster_forge.oci.manifest import Index, Manifest
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports import registry as registries
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.registry import Registry, StoredManifest
from cluster_forge.ports.workers import Workers
from cluster_forge.ports.workspace import FolderWriter
from cluster_forge.record import WRITTEN
from cluster_forge.stages.build import written_files
from cluster_forge.stages.build.cast import STACKS
from cluster_forge.stages.build.casting import stack_json
from cluster_forge.stages.build.casting.stack_json import STACK_JSON
from cluster_forge.stages.build.working_tree import first_few
from cluster_forge.stages.supply.cast_stack import BLOBS

STAGE: Final = "pull"
_LARGEST: Final = 2 << 30
"""Bytes of all blobs of a stack, which is held in memory."""
_MOST_IMAGES: Final = 50
"""Architectures: each has a manifest of up to 4 MiB."""
_LATEST: Final = "latest"
_FOLDER: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,250}")
_NOT_OURS: Final = "check the address: `cluster-forge push` writes what can be pulled"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """What to pull, and the folder to write; empty: the one below ``stacks/`` that the stack was cast into.

    ``overwrite`` also replaces a folder that has other files, or edited ones.
    """

    reference: ImageReference
    folder: str = ""
    overwrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PullTools:
    """The ports that `pull` needs."""

    files: FolderWriter
    registry: Registry
    workers: Workers
    reporter: Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class PullResult:
    """What was written: ``reference`` names the stack by its digest, ``image`` is the digest of its image."""

    reference: ImageReference
    folder: str
    version: str
    image: Digest
    files: int
    size: int


def pull(request: PullRequest, tools: PullTools) -> PullResult:
    """Write the folder.

    Raises:
        FetchError: if there is no stack, or it cannot be fetched.
        ImageError: if what was fetched is not what `push` sent.
        EditedError: if the folder has files that would be lost.
        WorkspaceError: if it cannot be written.
    """
    reference, stack = _stack(request.reference, tools.registry)
    folder = request.folder or f"{STACKS}/{_folder_name(reference, stack)}"
    if not request.overwrite:
        _refuse_losses(folder, tools.files)
    assert stack.subject is not None
    image = replace(reference, digest=stack.subject.digest)
    tree = _tree(reference, stack, image, tools)
    _check(reference, tree, stack.subject.digest)
    tools.files.replace_trees({folder: tree})
    tools.reporter.stage_finished(STAGE, f"{counted(len(tree), 'file')} in {folder}")
    return PullResult(
        reference=reference,
        folder=folder,
        version=stack_json.version(tree[STACK_JSON]),
        image=stack.subject.digest,
        files=len(tree),
        size=tree.size,
    )


def _stack(asked: ImageReference, registry: Registry) -> tuple[ImageReference, Manifest]:
    """The stack that a reference names, with the reference by digest.

    Raises:
        FetchError: if it names none, or several.
    """
    if asked.digest:
        named = replace(asked, tag="")
    else:
        named = artifact.stack_of(replace(asked, tag=asked.tag or _only_version(asked, registry)))
    if registry.digest(named) is None:
        place = " with this digest" if asked.digest else f" under the tag {asked.tag!r}" if asked.tag else ""
        raise FetchError(f"{asked.address}: there is no stack{place}", fix=_NOT_OURS)
    stored = registry.manifest(named)
    read = manifest.parse(stored.content, stored.media_type)
    if asked.digest and not _is_stack(read):  # the image, whose digest `push` prints
        named = replace(named, digest=_only_referrer(named, registry))
        stored = registry.manifest(named)
        read = manifest.parse(stored.content, stored.media_type)
    if _is_stack(read):
        return replace(asked.bare, digest=stored.digest), read
    raise FetchError(f"{asked.address}: it is not a stack of cluster-forge", fix=_NOT_OURS)


def _is_stack(read: Manifest | Index) -> TypeGuard[Manifest]:
    return (
        isinstance(read, Manifest)
        and read.artifact_type == artifact.STACK_TYPE
        and read.subject is not None
        and len(read.layers) == 1
    )


def _only_version(repository: ImageReference, registry: Registry) -> str:
    """The tag to pull if none is given: ``latest``, or the only one."""
    tags = registry.tags(repository)
    versions = [tag for tag in tags if f"{tag}{artifact.STACK_SUFFIX}" in tags]
    if _LATEST in versions:
        return _LATEST
    if len(versions) == 1:
        return versions[0]
    if not versions:
        raise FetchError(
            f"{repository.address}: there is no stack among its {counted(len(tags), 'tag')}", fix=_NOT_OURS
        )
    raise FetchError(
        f"{repository.address}: {counted(len(versions), 'version')} of the stack, and none is called {_LATEST!r}: "
        f"{first_few(versions)}",
        fix=f"name one: {repository.address}:{versions[-1]}",
    )


def _only_referrer(image: ImageReference, registry: Registry) -> Digest:
    """The digest of the stack that an image belongs to."""
    stacks = registry.referrers(image, artifact.STACK_TYPE)
    if len(stacks) == 1:
        return stacks[0].digest
    if not stacks:
        raise FetchError(f"{image.address}: no stack belongs to it", fix=_NOT_OURS)
    raise FetchError(
        f"{image.address}: {counted(len(stacks), 'stack')} belong to it: {first_few([str(stack.digest) for stack in stacks])}",
        fix="name one of these digests instead, or a tag",
    )


def _folder_name(reference: ImageReference, stack: Manifest) -> str:
    name = stack.annotations.get(artifact.FOLDER_ANNOTATION, "")
    if not _FOLDER.fullmatch(name):
        raise ImageError(
            f"{reference.address}: {name!r} is not the name of a folder", fix="name the folder to write: -o DIR"
        )
    return name


def _refuse_losses(folder: str, files: FolderWriter) -> None:
    """Check that only what `cast` or `pull` wrote is replaced, and only if it was not edited.

    Raises:
        EditedError: if there is anything else.
    """
    fix = "pull into another folder: -o DIR; or replace this one: --overwrite"
    written_files.refuse_others(folder, files, lambda _path: False, fix)
    if edited := [edit.path.removeprefix(f"{folder}/") for edit in written_files.edits(folder, files)]:
        raise EditedError(f"was edited by hand: {first_few(edited)}", where=f"{folder}/", fix=fix)


def _tree(reference: ImageReference, stack: Manifest, image: ImageReference, tools: PullTools) -> FileTree:
    """All files: those in the stack's layer, and the blobs of the image that its record lists."""
    manifests = _manifests(image, tools)
    read = [manifest.parse(stored.content, stored.media_type) for stored in manifests]
    blobs = {blob.digest: blob for one in read if isinstance(one, Manifest) for blob in one.blobs}
    tools.reporter.stage_started(STAGE, 1 + len(blobs))
    rest = unpacking.files(_content(tools, reference, stack.layers[0]))
    record = written_files.known_files(rest.files.get(WRITTEN)) or {}
    wanted = [blob for blob in blobs.values() if _path(blob.digest) in record]
    if sum(blob.size for blob in wanted) > _LARGEST:
        raise ImageError(f"{image.address}: its blobs have more than {_LARGEST >> 30} GiB", fix=_NOT_OURS)
    contents = tools.workers.map(partial(_content, tools, image), wanted, weight=lambda blob: blob.size)
    files = {_path(stored.digest): stored.content for stored in manifests}
    files |= {_path(blob.digest): content for blob, content in zip(wanted, contents, strict=True)}
    return FileTree({**rest.files, **files}, rest.executable)


def _manifests(image: ImageReference, tools: PullTools) -> Sequence[StoredManifest]:
    """The index, and the manifests of all architectures."""
    index = tools.registry.manifest(image)
    listed = manifest.parse(index.content, index.media_type)
    if not isinstance(listed, Index) or len(listed.manifests) > _MOST_IMAGES:
        raise ImageError(
            f"{image.address}: it is not the index of an image for at most {_MOST_IMAGES} architectures", fix=_NOT_OURS
        )
    entries = [replace(image, digest=entry.digest) for entry in listed.manifests]
    return (index, *tools.workers.map(tools.registry.manifest, entries))


def _content(tools: PullTools, repository: ImageReference, blob: Descriptor) -> bytes:
    item = blob.digest.hex[:12]
    tools.reporter.item_started(STAGE, item)
    content = registries.content(tools.registry, repository, blob, _LARGEST)
    tools.reporter.item_finished(STAGE, item, digest=str(blob.digest), bytes=blob.size)
    return content


def _path(digest: Digest) -> str:
    return f"{BLOBS}{digest.hex}"


def _check(reference: ImageReference, tree: FileTree, image: Digest) -> None:
    """Check that the files are exactly those of the record, and of one cast.

    Raises:
        ImageError: if they are not.
    """
    record = written_files.known_files(tree.files.get(WRITTEN)) or {}
    differing = sorted((set(tree) - {WRITTEN}) ^ set(record))
    differing += [
        path for path, digests in record.items() if digests and Digest.of(tree.files.get(path, b"")).hex not in digests
    ]
    if not record or differing:
        raise ImageError(
            f"{reference.address}: the files are not those of its record: {first_few(differing)}", fix=_NOT_OURS
        )
    if stack_json.image(tree.files.get(STACK_JSON, b"")) != image:
        raise ImageError(f"{reference.address}: its {STACK_JSON} names another image than {image}", fix=_NOT_OURS)
