"""What changed between the stack that was cast before and the one that is cast now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ManifestError, RepositoryError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.workspace import Workspace
from cluster_forge.record import Record
from cluster_forge.stages.build import smelt_diff
from cluster_forge.stages.build.smelt_diff import Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class CastChanges:
    """Components, objects and images; ``is_same``: every file is as before, also what says how they are delivered.

    ``is_unknown``: the stack that was cast before cannot be read.
    """

    components: Changes
    added_images: tuple[str, ...] = ()
    removed_images: tuple[str, ...] = ()
    is_same: bool = False
    is_unknown: bool = False

    def __bool__(self) -> bool:
        return bool(self.components or self.added_images or self.removed_images)


NO_CHANGES: Final = CastChanges(components=Changes(), is_same=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A stack as it is cast now: its record, the files that it is of, the files at the top of its folder, and its images."""

    record: Record
    working: FileTree
    top: Mapping[str, bytes]
    images: tuple[str, ...]


def since_last(
    folder: str, cast: Cast, files: Workspace, repositories: Repositories, parse: Callable[[str], Body]
) -> CastChanges:
    """Compare with what ``folder`` holds."""
    if all(files.read(f"{folder}/{path}") == content for path, content in cast.top.items()):
        return NO_CHANGES
    if not files.names(folder):
        return CastChanges(components=Changes(is_first=True))
    unknown = CastChanges(components=Changes(), is_unknown=True)
    repository = files.read_tree(f"{folder}/repo.git")
    names = _components(files.read(f"{folder}/stack.json"))
    if repository is None or names is None:
        return unknown
    try:
        before = _record(repositories.files(repository, cast.working), names, cast, parse)
    except (RepositoryError, ManifestError, ValueError, TypeError, KeyError, AttributeError):  # of a foreign workspace
        return unknown
    former_images = (files.read(f"{folder}/images.txt") or b"").decode(errors="replace").split()
    return CastChanges(
        components=smelt_diff.between(before, cast.record),
        added_images=tuple(sorted(set(cast.images) - set(former_images))),
        removed_images=tuple(sorted(set(former_images) - set(cast.images))),
    )


def _components(stack_json: bytes | None) -> tuple[ComponentName, ...] | None:
    """The components in the ``stack.json`` of an earlier cast; None if it cannot be read."""
    try:
        content: Any = orjson.loads(stack_json or b"")
        return tuple(ComponentName(component["name"]) for component in content["components"])
    except (ValueError, TypeError, KeyError):
        return None


def _record(before: FileTree, names: tuple[ComponentName, ...], cast: Cast, parse: Callable[[str], Body]) -> Record:
    """A record with the objects of the earlier cast: those in files of the same name are the same objects."""
    from cluster_forge.gitops import sync_files  # noqa: PLC0415 - 0.05 s, where something changed

    known = {known.path: known for part in cast.record.parts for known in part.objects}
    objects: dict[str, list[PartObject]] = {name: [] for name in names if name not in sync_files.FOLDERS.values()}
    for path, content in before.files.items():
        folder, _, rest = path.partition("/")
        if folder in objects and "/" not in rest:
            present = known.get(path)
            if present is None:
                present = PartObject(path=path, id=ObjectId.of(parse(content.decode())), digest=Digest.of(content))
            elif content != cast.working[path]:
                present = replace(present, digest=Digest.of(content))
            objects[folder].append(present)
    parts = tuple(Part(name=name, namespace="", wave=0, objects=tuple(objects.get(name, ()))) for name in names)
    return Record(tool="", stack="", inputs=Digest.of(b""), revision="", parts=parts, files={})
