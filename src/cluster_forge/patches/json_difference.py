"""The JSON patch between two states of an object, with tests: it fits only where the object still has what it changes.

What is overwritten is tested, and in a list the entry at the index: by its name if it has one. A list that changes so much
that its single changes would be much longer is tested and replaced as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.manifests.manifest import Body
from cluster_forge.patches import alignment, json_pointer
from cluster_forge.patches.json_operations import Op, Operation
from cluster_forge.patches.sameness import same

_NAME: Final = "name"
_MOST_LONGER: Final = 2
"""How much longer single changes of a list may be than all of it: they fit later versions of the list, too."""

Steps = tuple[str | int, ...]


def between(before: Body, after: Body) -> Iterator[Operation]:
    """The operations in their order; none if both are the same."""
    return _in_mapping((), before, after)


def _of_value(steps: Steps, old: Any, new: Any) -> Iterator[Operation]:
    if same(old, new):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _in_mapping(steps, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        single, whole = list(_in_list(steps, old, new)), _whole_list(steps, old, new)
        yield from single if _length(single) <= _MOST_LONGER * _length(whole) else whole
    else:
        yield from _tests(steps, old)
        yield Operation(op=Op.REPLACE, path=json_pointer.text(steps), value=new)


def _in_mapping(steps: Steps, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Operation]:
    for name in dict.fromkeys((*before, *after)):
        place = (*steps, name)
        if name not in after:
            yield from _tests(place, before[name])
            yield Operation(op=Op.REMOVE, path=json_pointer.text(place))
        elif name not in before:
            yield Operation(op=Op.ADD, path=json_pointer.text(place), value=after[name])
        else:
            yield from _of_value(place, before[name], after[name])


def _in_list(steps: Steps, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Operation]:
    """From the end to the beginning, so that no operation moves what a later one is about."""
    identities = ([_identity(entry) for entry in entries] for entries in (before, after))
    last, end = len(before), len(after)
    for place, other in (*reversed(alignment.pairs(*identities).items()), (-1, -1)):
        yield from _between(steps, (before, range(place + 1, last)), (after, range(other + 1, end)))
        if place >= 0:
            yield from _of_entry((*steps, place), before[place], after[other])
        last, end = place, other


_Stretch = tuple[Sequence[Any], range]
"""A list, and some of its places."""


def _between(steps: Steps, old: _Stretch, new: _Stretch) -> Iterator[Operation]:
    """The operations for entries between two that are in both lists."""
    (before, places), (after, others) = old, new
    common = min(len(places), len(others))
    for place in reversed(places[common:]):
        yield from _tests((*steps, place), before[place])
        yield Operation(op=Op.REMOVE, path=json_pointer.text((*steps, place)))
    added = [after[place] for place in others[common:]]
    if places.stop == len(before):
        yield from (_insertion(steps, json_pointer.END, entry) for entry in added)
    else:
        yield from (_insertion(steps, places.stop, entry) for entry in reversed(added))
    for place, other in reversed([*zip(places, others, strict=False)]):
        yield from _of_entry((*steps, place), before[place], after[other])


def _whole_list(steps: Steps, old: list[Any], new: list[Any]) -> list[Operation]:
    path = json_pointer.text(steps)
    return [Operation(op=Op.TEST, path=path, value=old), Operation(op=Op.REPLACE, path=path, value=new)]


def _length(operations: Sequence[Operation]) -> int:
    """Characters as JSON."""
    return len(json.dumps([operation.as_json for operation in operations]))


def _identity(entry: Any) -> str:
    """What makes two entries the same one, although it may change: its name; otherwise all of it."""
    name = entry.get(_NAME) if isinstance(entry, Mapping) else None
    return f"name {name}" if isinstance(name, str) else json.dumps(entry, sort_keys=True)


def _of_entry(steps: Steps, old: Any, new: Any) -> Iterator[Operation]:
    operations = list(_of_value(steps, old, new))
    if operations and isinstance(old, Mapping):
        yield from _tests(steps, old)
    yield from operations


def _insertion(steps: Steps, step: str | int, value: Any) -> Operation:
    return Operation(op=Op.ADD, path=json_pointer.text((*steps, step)), value=value)


def _tests(steps: Steps, old: Any) -> Iterator[Operation]:
    """The test that a place still has what it had: its name if it is a mapping with one, all of it if it is a scalar."""
    if isinstance(old, Mapping) and isinstance(old.get(_NAME), str):
        yield Operation(op=Op.TEST, path=json_pointer.text((*steps, _NAME)), value=old[_NAME])
    elif not isinstance(old, Mapping | list) or isinstance(steps[-1], int):
        yield Operation(op=Op.TEST, path=json_pointer.text(steps), value=old)
