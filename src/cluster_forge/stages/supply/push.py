"""push: a cast stack into a registry: its image, what GitOps engines read, and what `pull` needs (`oci.artifact`)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from itertools import filterfalse
from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ImageError, TagError
from cluster_forge.foundation.names import counted
from cluster_forge.oci import artifact, layer
from cluster_forge.oci.compression import Compression
from cluster_forge.oci.image import MANIFEST_TYPE, Descriptor
from cluster_forge.oci.reference import ImageReference, is_tag
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.registry import Registry, RegistryUploads, Sent, StoredManifest, Upload
from cluster_forge.ports.workers import Workers
from cluster_forge.ports.workspace import FolderReader
from cluster_forge.stages.supply import cast_stack
from cluster_forge.stages.supply.cast_stack import CastStack

STAGE: Final = "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRequest:
    """The folder below ``stacks/``, the repository, and tags beside the stack's own version.

    ``force_tag`` moves tags that name something else. ``is_trial`` sends nothing.
    """

    folder: str
    repository: ImageReference
    tags: tuple[str, ...] = ()
    force_tag: bool = False
    is_trial: bool = False


class TagChange(StrEnum):
    """What a push does to a tag."""

    KEPT = "kept"
    ADDED = "added"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedTag:
    """A tag, what it names now, and whether it did before."""

    reference: ImageReference
    manifest: StoredManifest
    change: TagChange


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What is in the repository: the image's digest, all tags, and how each blob came there (none if nothing was missing).

    ``for_engines``: there is something that Argo CD and Flux read.
    """

    repository: ImageReference
    version: str
    image: Digest
    tags: tuple[PushedTag, ...]
    blobs: tuple[tuple[Descriptor, Sent], ...]
    for_engines: bool

    @property
    def sent_bytes(self) -> int:
        return sum(blob.size for blob, sent in self.blobs if sent is Sent.UPLOADED)

    def count(self, sent: Sent) -> int:
        """The number of blobs that came there in this way."""
        return sum(how is sent for _, how in self.blobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTools:
    """The ports that `push` needs."""

    files: FolderReader
    registry: Registry
    uploads: RegistryUploads
    workers: Workers
    reporter: Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    """A manifest with its tag's suffix, and everything that must be there before it."""

    suffix: str
    manifest: StoredManifest
    uploads: tuple[Upload, ...] = field(repr=False)
    parts: tuple[StoredManifest, ...] = ()


def push(request: PushRequest, tools: PushTools) -> PushResult:
    """Send what the registry does not have, and then the tags.

    Raises:
        StaleError, EditedError, ImageError: if the folder is not what `cast` wrote.
        TagError, ExceptionGroup: for every tag that names something else, unless it may be moved; nothing is sent then.
        RegistryError, FetchError: if the registry refuses, or cannot be reached.
    """
    stack = cast_stack.read(request.folder, tools.files)
    parcels = _parcels(stack, tools)
    tags = _tags(request, stack, parcels, tools)
    sent = () if request.is_trial else _send(stack, parcels, tags, tools)
    return PushResult(
        repository=request.repository.bare,
        version=stack.version,
        image=stack.index.digest,
        tags=tags,
        blobs=tuple(sent),
        for_engines=any(parcel.suffix == artifact.MANIFESTS_SUFFIX for parcel in parcels),
    )


def _parcels(stack: CastStack, tools: PushTools) -> Sequence[_Parcel]:
    """The image, the manifests alone if engines can read them, and the other files."""
    of_image = {blob.digest: _upload(stack, blob, tools.files) for blob in stack.blobs}
    image = _Parcel(suffix="", manifest=stack.index, uploads=tuple(of_image.values()), parts=stack.images)
    packed = layer.build(stack.files, Compression.GZIP, run=tools.workers.map)
    rest = Descriptor(media_type=packed.media_type, digest=packed.digest, size=packed.size)
    name = {artifact.FOLDER_ANNOTATION: stack.folder.rpartition("/")[2]}
    about = {**stack.annotations, **name}
    of_stack = artifact.build(artifact.STACK_TYPE, rest, packed.diff_id, about, subject=stack.index.descriptor)
    files = _parcel(artifact.STACK_SUFFIX, of_stack, Upload(blob=rest, open=partial(io.BytesIO, packed.content)))
    if stack.layer.media_type != artifact.READ_BY_ENGINES:
        return image, files
    for_engines = artifact.build(artifact.MANIFESTS_TYPE, stack.layer, stack.diff_id, stack.annotations)
    return image, _parcel(artifact.MANIFESTS_SUFFIX, for_engines, of_image[stack.layer.digest]), files


def _parcel(suffix: str, built: artifact.Artifact, content: Upload) -> _Parcel:
    config = Upload(blob=built.config_descriptor, open=partial(io.BytesIO, built.config))
    return _Parcel(suffix=suffix, manifest=StoredManifest.of(built.content, MANIFEST_TYPE), uploads=(config, content))


def _upload(stack: CastStack, blob: Descriptor, files: FolderReader) -> Upload:
    origins = (stack.base,) if stack.base and blob != stack.layer else ()
    return Upload(blob=blob, open=partial(files.open, stack.path(blob.digest)), origins=origins)


def _tags(
    request: PushRequest, stack: CastStack, parcels: Sequence[_Parcel], tools: PushTools
) -> tuple[PushedTag, ...]:
    """Every tag with what happens to it."""
    raise_all(map(_not_a_tag, filterfalse(_is_usable, request.tags)))
    wanted = {
        replace(request.repository.bare, tag=tag + parcel.suffix): parcel.manifest
        for tag in (stack.version, *request.tags)
        for parcel in parcels
    }
    first, *others = wanted
    present = [tools.registry.digest(first)]  # alone: if the registry refuses, that is one error
    present += tools.workers.map(tools.registry.digest, others)
    tags = tuple(
        PushedTag(reference=reference, manifest=stored, change=_change(stored, digest))
        for (reference, stored), digest in zip(wanted.items(), present, strict=True)
    )
    if not request.force_tag:
        pairs = zip(tags, present, strict=True)
        raise_all(_taken(tag, digest) for tag, digest in pairs if tag.change is TagChange.MOVED)
    return tags


def _is_usable(tag: str) -> bool:
    """Whether a tag and those that follow from it are tags, and none is what another one becomes."""
    suffixes = (artifact.MANIFESTS_SUFFIX, artifact.STACK_SUFFIX)
    return all(is_tag(tag + suffix) for suffix in suffixes) and not tag.endswith(suffixes)


def _not_a_tag(tag: str) -> ImageError:
    return ImageError(
        f"{tag!r} is not a tag to push under: letters, digits, _, . and -, at most 118 characters, no "
        f"{artifact.MANIFESTS_SUFFIX} or {artifact.STACK_SUFFIX} at the end",
        fix="pass another --tag",
    )


def _change(stored: StoredManifest, present: Digest | None) -> TagChange:
    if present is None:
        return TagChange.ADDED
    return TagChange.KEPT if present == stored.digest else TagChange.MOVED


def _taken(tag: PushedTag, present: Digest | None) -> TagError:
    return TagError(
        f"{tag.reference.address}: the tag names {present} already, and {tag.manifest.digest} would be pushed",
        fix="push under another tag (--tag NAME), or move the tag: --force-tag",
    )


def _send(
    stack: CastStack, parcels: Sequence[_Parcel], tags: Sequence[PushedTag], tools: PushTools
) -> Iterable[tuple[Descriptor, Sent]]:
    """Blobs first, then what names them, the tags last: who reads a tag finds everything behind it."""
    repository = tags[0].reference.bare
    kept = {tag.manifest.digest for tag in tags if tag.change is TagChange.KEPT}
    missing = [parcel for parcel in parcels if parcel.manifest.digest not in kept]
    distinct = {upload.blob.digest: upload for parcel in missing for upload in parcel.uploads}
    uploads = sorted(distinct.values(), key=lambda upload: upload.blob.size)
    tools.reporter.stage_started(STAGE, len(uploads) + len(tags))
    send = partial(_send_blob, repository, stack, tools=tools)
    sent = [*map(send, uploads[:1])]  # the smallest alone: if the registry refuses, that is one error
    sent += tools.workers.map(send, uploads[1:], weight=lambda upload: upload.blob.size)
    for part in (part for parcel in missing for part in parcel.parts):
        tools.uploads.send_manifest(replace(repository, digest=part.digest), part)
    for tag in tags:
        if tag.change is not TagChange.KEPT:
            tools.uploads.send_manifest(tag.reference, tag.manifest)
        tools.reporter.item_finished(STAGE, tag.reference.tag, f"{tag.change}, {tag.manifest.digest}")
    tools.reporter.stage_finished(STAGE, f"{counted(len(tags), 'tag')} in {repository.address}")
    return tuple(zip((upload.blob for upload in uploads), sent, strict=True))


def _send_blob(repository: ImageReference, stack: CastStack, upload: Upload, *, tools: PushTools) -> Sent:
    if upload.blob in stack.blobs:
        cast_stack.check_blob(stack, upload.blob.digest, tools.files)
    item = upload.blob.digest.hex[:12]
    tools.reporter.item_started(STAGE, item)
    sent = tools.uploads.send_blob(repository, upload)
    tools.reporter.item_finished(STAGE, item, sent, digest=str(upload.blob.digest), bytes=upload.blob.size)
    return sent
