"""Which line of a patch changes a field of an object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.patches import json_pointer
from cluster_forge.patches.json_operations import Op
from cluster_forge.stack.changes import DeclaredPatch
from cluster_forge.stack.effective import path_text
from cluster_forge.yaml.positioned import Path

_STEP: Final = re.compile(r'\["(?P<key>.*?)"\](?=[.\[]|\Z)|\[(?P<entry>[^\]]*)\]|\.?(?P<name>[\w-]+)')
_EQUAL: Final = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,]*)')


class _Entry(str):
    """The step into a list: its index, or the keys of the entry (``name="web"``)."""

    __slots__ = ()


def where(patch: DeclaredPatch, path: str) -> str:
    """The ``file:line`` of what sets the field at ``path`` (`field_path`); that of the patch where no single line does."""
    steps = tuple(_steps(path))
    place = _operation(patch, steps) if patch.operations else tuple(_in_body(patch.body, steps))
    line = patch.lines.get(path_text(place))
    return f"{patch.where.rpartition(':')[0]}:{line}" if line and ":" in patch.where else patch.where


def _steps(path: str) -> Iterator[str]:
    for step in _STEP.finditer(path):
        yield _Entry(step["entry"]) if step["entry"] is not None else step["key"] or step["name"] or ""


def _in_body(body: Any, steps: Sequence[str]) -> Iterator[str | int]:
    """The steps into a partial object, as far as it goes."""
    for step in steps:
        known = _place(body, step) if isinstance(step, _Entry) else step
        if known is None or (isinstance(known, str) and (not isinstance(body, Mapping) or known not in body)):
            return
        body = body[known]
        yield known


def _place(entries: Any, step: str) -> int | None:
    """The index of the entry of a list that a step means; None if there is none."""
    if not isinstance(entries, list):
        return None
    if step.isdigit():
        return int(step) if int(step) < len(entries) else None
    keys = _keys(step)
    matching = (place for place, entry in enumerate(entries) if isinstance(entry, Mapping) and _has_keys(entry, keys))
    return next(matching, None)


def _keys(step: str) -> dict[str, str]:
    return dict(_EQUAL.findall(step))


def _has_keys(entry: Mapping[str, Any], keys: Mapping[str, str]) -> bool:
    """Whether an entry has the keys, as far as it names them: a patch may leave out those with a default."""
    named = [name for name in keys if name in entry]
    return bool(named) and all(json.dumps(entry[name]) == keys[name] for name in named)


def _operation(patch: DeclaredPatch, steps: Sequence[str]) -> Path:
    """The path to the one operation that changes the field; to none of several."""
    names = {
        one["path"]: json.dumps(one["value"])
        for one in patch.operations
        if one["op"] == Op.TEST and str(one["path"]).endswith("/name")
    }
    matching: dict[int, list[int]] = {}
    for place, one in enumerate(patch.operations):
        tokens = json_pointer.tokens(one["path"])
        if one["op"] != Op.TEST and _concerns(tokens, steps, names):
            matching.setdefault(len(tokens), []).append(place)
    nearest = matching[max(matching)] if matching else []
    return (nearest[0],) if len(nearest) == 1 else ()


def _concerns(tokens: Sequence[str], steps: Sequence[str], names: Mapping[str, str]) -> bool:
    """Whether an operation's place holds the field or is in it; ``names`` are tested names of entries, by their pointers."""
    for place, (token, step) in enumerate(zip(tokens, steps, strict=False)):
        if not isinstance(step, _Entry):
            if token != step:
                return False
        elif step.isdigit():
            if token not in (step, json_pointer.END):
                return False
        else:
            tested = names.get(json_pointer.text((*tokens[: place + 1], "name")))
            if tested and tested != _keys(step).get("name", tested):
                return False
    return True
