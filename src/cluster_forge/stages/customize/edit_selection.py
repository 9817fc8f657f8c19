"""Which edits are meant by the names on a command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cluster_forge.foundation.errors import UnknownNameError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.record import Record
from cluster_forge.stages.build.edits import FileEdit
from cluster_forge.stages.build.working_tree import FOLDER


def chosen(edited: Sequence[FileEdit], names: Sequence[str], record: Record) -> tuple[FileEdit, ...]:
    """The edits of the components, objects (``Deployment.apps/shop/web``) and files with these names; no names: all.

    Raises:
        UnknownNameError: for a name that is none of the three.
    """
    if not names:
        return tuple(edited)
    objects = {known.path: known.id for part in record.parts for known in part.objects}
    paths: set[str] = set()
    for name in names:
        paths.update(_meant(name, edited, objects))
    return tuple(edit for edit in edited if edit.path in paths)


def _meant(name: str, edited: Iterable[FileEdit], objects: Mapping[str, ObjectId]) -> list[str]:
    wanted = name.removeprefix(f"{FOLDER}/").strip("/")
    known: dict[str, list[str]] = {}
    for path in {**objects, **{edit.path: None for edit in edited}}:
        identity = objects.get(path)
        for label in (path, path.partition("/")[0], *([str(identity)] if identity else ())):
            known.setdefault(label, []).append(path)
    if wanted not in known:
        raise UnknownNameError(
            f"unknown name {name!r}: not a component, object or file of {FOLDER}/{did_you_mean(wanted, known)}",
            fix="name a component, an object as `customize status` shows it, or a file",
        )
    return known[wanted]
