"""What hand edits change, object by object, without the values of Secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cluster_forge.manifests.comparison import objects
from cluster_forge.manifests.comparison.objects import Comparison, ObjectDifference
from cluster_forge.manifests.part import PartObject
from cluster_forge.stages.customize.edited_files import EditedFile

_TEXT_ONLY = "the same object: only comments or the way it is written differ"
_RENAMED = "renamed in its file, which removes one object and adds another: give the new one a file of its own"


def comparison(edited: Iterable[EditedFile]) -> Comparison:
    """The objects that differ, those with problems left out."""
    return Comparison(objects=objects.in_order(one for file in edited for one in _of(file)))


def _of(file: EditedFile) -> Iterator[ObjectDifference]:
    if file.problems:
        return
    if file.is_renamed:
        yield from _between(file, file.before, None, _RENAMED)
        yield from _between(file, None, file.after, _RENAMED)
        return
    yield from _between(file, file.before, file.after)


def _between(
    file: EditedFile, before: PartObject | None, after: PartObject | None, remark: str = ""
) -> Iterator[ObjectDifference]:
    known = before or after
    if known is None:
        return
    states = (before.body if before else None, after.body if after else None)
    for text in (remark, _TEXT_ONLY):
        if difference := objects.as_written(known.id, file.folder, *states, remark=text):
            yield difference
            return
