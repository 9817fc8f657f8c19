"""A cast stack's folder as it is pushed: checked to be what `cast` wrote, with the manifests and blobs of its image."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError, ImageError, StaleError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.oci import manifest
from cluster_forge.oci.image import BASE_NAME, Descriptor
from cluster_forge.oci.manifest import Index, Manifest
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.registry import StoredManifest
from cluster_forge.ports.workspace import FolderReader
from cluster_forge.record import WRITTEN
from cluster_forge.stages.build import written_files
from cluster_forge.stages.build.cast import STACKS
from cluster_forge.stages.build.casting import stack_json
from cluster_forge.stages.build.casting.cast_files import DEPLOY_SCRIPT, IMAGE
from cluster_forge.stages.build.casting.stack_json import STACK_JSON
from cluster_forge.stages.build.working_tree import first_few

BLOBS: Final = f"{IMAGE}/blobs/sha256/"
LAYOUT: Final = (f"{IMAGE}/index.json", f"{IMAGE}/oci-layout")
_PART: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CastStack:
    """A stack's folder (``stacks/platform``) and its image.

    ``version`` is the revision that was cast, ``files`` are all but the blobs of the image. ``index`` lists ``images``, one
    for each architecture, as ``manifests`` has them parsed.
    """

    folder: str
    version: str
    files: FileTree = field(repr=False)
    index: StoredManifest
    annotations: Mapping[str, str]
    images: tuple[StoredManifest, ...]
    manifests: tuple[Manifest, ...]
    diff_id: Digest
    """Of the archive in `layer`."""

    @property
    def layer(self) -> Descriptor:
        """The layer with the manifests; what the image is built upon is below it."""
        return self.manifests[0].layers[-1]

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The configurations and layers of all architectures, each once."""
        return tuple({blob.digest: blob for image in self.manifests for blob in image.blobs}.values())

    @property
    def base(self) -> ImageReference | None:
        """The repository of the image that this one is built upon: its registry may have layers already."""
        name = self.annotations.get(BASE_NAME)
        return ImageReference.read(name).bare if name else None

    def path(self, blob: Digest) -> str:
        """Where the folder has a blob."""
        return f"{self.folder}/{BLOBS}{blob.hex}"


def folders(files: FolderReader) -> Sequence[str]:
    """The names of the stacks below ``stacks/``, sorted."""
    parts = (name.split("/") for name in files.names(STACKS))
    return sorted(folder for folder, *rest in parts if rest == [STACK_JSON])


def read(folder: str, files: FolderReader) -> CastStack:
    """The stack in a folder of the workspace.

    Raises:
        StaleError: if `cast` did not write it.
        EditedError: if it is not as `cast` left it.
        ImageError: if its image is damaged.
    """
    names = frozenset(files.names(folder)) - {WRITTEN}
    _check_unchanged(folder, names, files)
    about = files.read(f"{folder}/{STACK_JSON}") or b""
    index, listed = _index(folder, files, stack_json.image(about))
    images = tuple(_stored(folder, entry, files) for entry in listed.manifests)
    manifests = tuple(read for image in images if isinstance(read := manifest.parse(image.content), Manifest))
    if len(manifests) < len(images) or not all(image.layers for image in manifests) or not images:
        raise _damaged(folder, "the index lists what is not an image with a layer")
    return CastStack(
        folder=folder,
        version=stack_json.version(about),
        files=_files(folder, names, files),
        index=index,
        annotations=listed.annotations,
        images=images,
        manifests=manifests,
        diff_id=_diff_id(folder, manifests[0].config, files),
    )


def check_blob(stack: CastStack, blob: Digest, files: FolderReader) -> None:
    """Check that a blob's file has the digest in its name.

    Raises:
        ImageError: if it has not.
    """
    state = hashlib.sha256()
    with files.open(stack.path(blob)) as file:
        while part := file.read(_PART):
            state.update(part)
    if state.hexdigest() != blob.hex:
        raise _damaged(stack.path(blob), "its content is not what its name says")


def _check_unchanged(folder: str, names: frozenset[str], files: FolderReader) -> None:
    record = written_files.known_files(files.read(f"{folder}/{WRITTEN}"))
    if record is None or STACK_JSON not in record:
        raise StaleError("cast has not written this folder", where=f"{folder}/", fix="run `cluster-forge cast`")
    known = frozenset(record)
    changes = {edit.path.removeprefix(f"{folder}/"): str(edit.kind) for edit in written_files.edits(folder, files)}
    changes |= dict.fromkeys(names - known, "added") | dict.fromkeys(known - names, "deleted")
    if changes:
        raise EditedError(
            f"is not as cast left it: {first_few([f'{kind} {path}' for path, kind in sorted(changes.items())])}",
            where=f"{folder}/",
            fix="run `cluster-forge cast` again, and keep what is yours in input/ or working/",
        )


def _index(folder: str, files: FolderReader, digest: Digest | None) -> tuple[StoredManifest, Index]:
    """The index of all architectures, which the layout's ``index.json`` and ``stack.json`` both name."""
    path = f"{folder}/{IMAGE}/index.json"
    layout = _parsed(path, files.read(path) or b"")
    if isinstance(layout, Index) and [entry.digest for entry in layout.manifests] == [digest]:
        stored = _stored(folder, layout.manifests[0], files)
        listed = manifest.parse(stored.content)
        if isinstance(listed, Index):
            return stored, listed
    raise _damaged(path, f"it does not name the image of {STACK_JSON}")


def _stored(folder: str, entry: Descriptor, files: FolderReader) -> StoredManifest:
    path = f"{folder}/{BLOBS}{entry.digest.hex}"
    stored = StoredManifest.of(files.read(path) or b"", entry.media_type)
    if stored.digest != entry.digest:
        raise _damaged(path, "its content is not what its name says")
    _parsed(path, stored.content)
    return stored


def _diff_id(folder: str, config: Descriptor, files: FolderReader) -> Digest:
    """The digest of the archive in the last layer, as the configuration has it (OCI image spec, ``config.md``)."""
    path = f"{folder}/{BLOBS}{config.digest.hex}"
    try:
        return Digest.from_plain(orjson.loads(files.read(path) or b"")["rootfs"]["diff_ids"][-1])
    except (ValueError, TypeError, LookupError) as error:
        raise _damaged(path, "it is not a configuration") from error


def _parsed(path: str, content: bytes) -> Manifest | Index:
    try:
        return manifest.parse(content)
    except ImageError as error:
        raise _damaged(path, error.message) from error


def _files(folder: str, names: frozenset[str], files: FolderReader) -> FileTree:
    """Everything but the blobs, which have descriptors of their own."""
    single = [*(name for name in names if "/" not in name), *LAYOUT, WRITTEN]
    top = FileTree({name: files.read(f"{folder}/{name}") or b"" for name in single}, frozenset({DEPLOY_SCRIPT}))
    folders = sorted({name.partition("/")[0] for name in names if "/" in name} - {IMAGE})
    trees = {name: files.read_tree(f"{folder}/{name}") for name in folders}
    return join(top, *(tree.under(name) for name, tree in trees.items() if tree))


def _damaged(path: str, problem: str) -> ImageError:
    return ImageError(f"the image is damaged: {problem}", where=path, fix="run `cluster-forge cast` again")
