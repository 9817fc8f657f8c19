"""The files of a cast stack: those that are in its folder already, or new ones.

The cache has the digest of what was cast from the same stack, `working/` and time. If the folder holds that still, it is
not built again: reading YAML, packing and compressing take longer than everything else that a `cast` without changes does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation import build, json_codec
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import counted
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.oci import deflated
from cluster_forge.oci.compression import Compression
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.storage import Cache
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stack.model import Stack
from cluster_forge.stages import cached_values
from cluster_forge.stages.build.working_tree import WorkingState, WorkingTree
from cluster_forge.stages.toolbox import Toolbox

STAGE: Final = "cast"
REPOSITORY, IMAGE, BOOTSTRAP = "repo.git", "image", "bootstrap"
ITEMS: Final = (REPOSITORY, IMAGE, BOOTSTRAP)
IMAGES_TEXT, DEPLOY_SCRIPT = "images.txt", "deploy.sh"
_CASTS: Final = "casts"


@dataclass(frozen=True, slots=True, kw_only=True)
class CastFacts:
    """What is known about the files of a cast; ``images`` are the references of all images that the stack runs."""

    commit: str
    image: Digest
    platforms: tuple[str, ...]
    delivery: Delivery
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CastFiles:
    """The files of a cast stack's folder."""

    tree: FileTree
    facts: CastFacts

    @property
    def sizes(self) -> Mapping[str, int]:
        """The bytes of ``repo.git``, ``image`` (its blobs) and ``bootstrap``."""
        folders = {REPOSITORY: REPOSITORY, IMAGE: f"{IMAGE}/blobs", BOOTSTRAP: BOOTSTRAP}
        return {item: sum(map(len, _below(folder, self.tree).values())) for item, folder in folders.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What the cache has of a cast: the digest of its files, and the facts."""

    files: Digest
    facts: CastFacts


def key(stack: Stack, working: WorkingTree | WorkingState, time: int, base: LockedSource | None) -> Digest:
    """Over everything that the files depend on. There are no hand edits: the record has the digest of every file."""
    methods = (deflated.METHOD, _method(stack.image.compression))
    parts = (stack, working.record, sorted(working.executable), time, *methods, base)
    return build.key(_CASTS, *map(json_codec.dump, parts))


def _method(compression: Compression) -> str:
    """Names what the bytes of the layer depend on, beside its content."""
    if compression is Compression.GZIP:
        return deflated.METHOD
    from cluster_forge.oci import layer  # noqa: PLC0415 - 0.01 s of a `cast` that builds nothing

    return layer.method(compression)


def present(key: Digest, folder: str, toolbox: Toolbox) -> CastFiles | None:
    """The files in the folder, if they are what was cast for this key."""
    kept = cached_values.get(toolbox.cache, _CASTS, key, _Kept)
    if kept:
        with contextlib.suppress(WorkspaceError):  # a link or a pipe is in the place of a file
            tree = toolbox.files.read_tree(folder)
            if tree and tree.digest == kept.files:
                return CastFiles(tree=tree, facts=kept.facts)
    return None


def keep(key: Digest, files: CastFiles, cache: Cache) -> None:
    """Note for `present` what was cast for this key."""
    cached_values.put(cache, _CASTS, key, _Kept(files=files.tree.digest, facts=files.facts))


def report(files: CastFiles, reporter: Reporter) -> None:
    """The same events as those of building, but for ``cached``."""
    details = {
        REPOSITORY: f"commit {files.facts.commit}",
        IMAGE: str(files.facts.image),
        BOOTSTRAP: counted(len(_below(BOOTSTRAP, files.tree)), "file"),
    }
    for item, size in files.sizes.items():
        reporter.item_started(STAGE, item)
        digest = {"digest": str(files.facts.image)} if item == IMAGE else {}
        reporter.item_finished(STAGE, item, details[item], **digest, bytes=size, cached=True)


def _below(folder: str, tree: FileTree) -> Mapping[str, bytes]:
    return {path: content for path, content in tree.files.items() if path.startswith(f"{folder}/")}
