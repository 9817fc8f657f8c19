"""JSON patches (RFC 6902): operations on single places of an object, all of them or none.

What RFC 6902 leaves open is as in the API server's library (``evanphx/json-patch`` without options): a place that is not
there is an error, also for ``remove``, and an index counts from 0, never from the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from cluster_forge.foundation.errors import PatchError
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.comparison import masking
from cluster_forge.manifests.manifest import Body
from cluster_forge.patches import json_pointer, line_merge, texts
from cluster_forge.patches.json_operations import Op, Operation
from cluster_forge.patches.sameness import ABSENT, equal_in_json

_LONGEST: Final = 60
"""Characters of a value in a message."""


def apply(body: Body, patch: Sequence[Operation], *, merges_lines: bool = False) -> Body:
    """``body`` after all operations. It is not changed in place.

    ``merges_lines``: the replacement of a text that is tested before is merged by lines into what the text is (`line_merge`).

    Raises:
        PatchError: for the first operation that does not fit: it names the nearest place.
    """
    document = body
    remaining = list(patch)
    for place, _ in enumerate(patch):
        try:
            if merges_lines and place + 1 < len(patch):
                remaining[place : place + 2] = _fitted(document, *remaining[place : place + 2])
            changed = _applied(document, remaining[place])
        except PatchError as error:
            raise PatchError(f"{_named(place, patch)}: {error.message}", fix=error.fix) from error
        if not isinstance(changed, Mapping):
            raise PatchError(f"{_named(place, patch)} leaves no object", fix="write a path below the object")
        document = changed
    return document


def _named(place: int, patch: Sequence[Operation]) -> str:
    return f"operation {place + 1} ({patch[place]})"


def _fitted(document: Body, first: Operation, second: Operation) -> tuple[Operation, Operation]:
    return line_merge.fitted(first, second, json_pointer.found(document, json_pointer.tokens(first.path)))


def _applied(document: Any, operation: Operation) -> Any:
    path, value = operation.path, operation.value
    match operation.op:
        case Op.ADD:
            return _added(document, path, value)
        case Op.REMOVE:
            return _changed(document, path, _without)
        case Op.REPLACE:
            return _changed(document, path, lambda parent, step: _replaced(parent, step, value))
        case Op.MOVE:
            if path.startswith(f"{operation.source}/"):
                raise PatchError("a value cannot be moved into itself", fix="copy it, then remove it")
            value = _present(document, operation.source)
            return _added(_changed(document, operation.source, _without), path, value)
        case Op.COPY:
            return _added(document, path, _present(document, operation.source))
        case Op.TEST:
            _test(document, path, value)
            return document


def _test(document: Body, path: str, expected: Any) -> None:
    present = _present(document, path)
    if not equal_in_json(present, expected):
        values = "" if _is_secret(document, path) else f": {_difference(present, expected)}"
        raise PatchError(
            f"the value differs{values}",
            fix="compare the patch with what the object has now, and write it for that",
        )


def _is_secret(document: Body, pointer: str) -> bool:
    """Whether the value at a place is one of a Secret, or of a variable or key whose name says so."""
    *parents, last = json_pointer.tokens(pointer) or ("",)
    parent = json_pointer.found(document, parents)
    name = parent.get("name") if last == "value" and isinstance(parent, dict) else last
    return document.get("kind") == "Secret" or masking.names_secret(str(name))


def _present(document: Any, pointer: str) -> Any:
    steps = json_pointer.tokens(pointer)
    value = json_pointer.found(document, steps)
    if value is ABSENT:
        raise _missing(document, steps)
    return value


_Change = Callable[[Any, str], Any]
"""A mapping or list and a step → the same with that member changed; `ABSENT` if there is no such place."""


def _added(document: Any, pointer: str, value: Any) -> Any:
    return _changed(document, pointer, lambda parent, step: _with(parent, step, value)) if pointer else value


def _changed(document: Any, pointer: str, change: _Change) -> Any:
    """``document`` with a change in what holds the place; everything that holds that is new, all else is shared."""
    steps = json_pointer.tokens(pointer)
    if not steps:
        return change({"": document}, "").get("", ABSENT)
    parents = [document]
    for step in steps[:-1]:
        parents.append(json_pointer.below(parents[-1], step))
    value = change(parents.pop(), steps[-1])
    if value is ABSENT:
        raise _missing(document, steps)
    for parent, step in zip(reversed(parents), reversed(steps[:-1]), strict=True):
        value = _replaced(parent, step, value)
    return value


def _with(parent: Any, step: str, value: Any) -> Any:
    if isinstance(parent, dict):
        return {**parent, step: value}
    if not isinstance(parent, list):
        return ABSENT
    place = len(parent) if step == json_pointer.END else json_pointer.index(step)
    if place is None or place > len(parent):
        return ABSENT
    return [*parent[:place], value, *parent[place:]]


def _replaced(parent: Any, step: str, value: Any) -> Any:
    if json_pointer.below(parent, step) is ABSENT:
        return ABSENT
    if isinstance(parent, dict):
        return {**parent, step: value}
    return [value if place == json_pointer.index(step) else entry for place, entry in enumerate(parent)]


def _without(parent: Any, step: str) -> Any:
    if json_pointer.below(parent, step) is ABSENT:
        return ABSENT
    if isinstance(parent, dict):
        return {key: entry for key, entry in parent.items() if key != step}
    return [entry for place, entry in enumerate(parent) if place != json_pointer.index(step)]


def _missing(document: Any, steps: Sequence[str]) -> PatchError:
    similar = json_pointer.nearest_place(document, steps)
    held = json_pointer.found(document, json_pointer.tokens(similar))
    ends = f"; the list has {counted(len(held), 'entry')}" if isinstance(held, list) else ""
    return PatchError(
        "no such place in the object",
        fix=f"the nearest is {similar or 'the object itself'}{ends}; `add` makes one member of a mapping or list",
    )


def _difference(present: Any, expected: Any) -> str:
    """Both values; of texts of several lines the first lines that differ."""
    if not isinstance(present, str) or not isinstance(expected, str) or "\n" not in present + expected:
        return f"{_shown(present)}, not {_shown(expected)}"
    pairs = zip_longest(texts.lines(present), texts.lines(expected), fillvalue="")
    number, (there, wanted) = next((number, pair) for number, pair in enumerate(pairs, start=1) if pair[0] != pair[1])
    return f"line {number} is {_shown(there)}, not {_shown(wanted)}"


def _shown(value: Any) -> str:
    """A value in a few words; a large one (copies of copies) is not written out."""
    if isinstance(value, dict | list):
        return counted(len(value), "key" if isinstance(value, dict) else "entry")
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
