"""The API versions that a chart asks its cluster for (Helm, "Built-in Objects", ``Capabilities.APIVersions``).

Known is what stands in the chart by name: ``.APIVersions.Has "policy/v1"``, ``has "policy/v1" .Capabilities.APIVersions``, and
a named template that looks up an entry of its argument, if each call names it: ``include "has" (dict "version" "policy/v1")``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_LIST: Final = b".APIVersions"
_GZIP: Final = b"\x1f\x8b\x08"
_HAS: Final = re.compile(rb'\.APIVersions\.Has "([^"\n]+)"')
_IN_LIST: Final = re.compile(rb'\bhas "([^"\n]+)" [$.\w]*\Z')
_NO_MORE: Final = re.compile(rb"\.APIVersions[\s)]")
_HAS_ENTRY: Final = re.compile(rb"\.APIVersions\.Has \.(\w+)[\s)]")
_DEFINE: Final = b'define "'
_BLOCK: Final = re.compile(rb"\{\{-?\s*(if|range|with|block|define|end)\b")
_LINE: Final = 500
"""Bytes before a lookup in which the rest of its expression is searched."""
_BEFORE: Final = {b'"': (b'"',), b"`": (b"include `", b"template `")}
"""What stands before the name of a template, by what stands after it."""
_LONGEST_CALL: Final = 10
_LONGEST: Final = 4000
"""Bytes of a named template."""


def of(tar: bytes) -> frozenset[str] | None:
    """The API versions that a chart, as a tar, looks up; None if they may be any: one is not named, or a dependency is packed."""
    names: set[bytes] = set()
    place = tar.find(_LIST)
    while place >= 0:
        looked_up = _named(tar, place)
        if looked_up is None:
            return None
        names |= looked_up
        place = tar.find(_LIST, place + 1)
    return None if _GZIP in tar else frozenset(name.decode(errors="replace") for name in names)


def _named(tar: bytes, place: int) -> set[bytes] | None:
    """The API versions that the lookup at ``place`` may name."""
    if literal := _HAS.match(tar, place):
        return {literal[1]}
    before = tar[max(0, place - _LINE) : place]
    if (literal := _IN_LIST.search(before)) and _NO_MORE.match(tar, place):
        return {literal[1]}
    if entry := _HAS_ENTRY.match(tar, place):
        template = _template_around(tar, place)
        return _in_calls(tar, template, entry[1]) if template else None
    return None


def _template_around(tar: bytes, place: int) -> bytes | None:
    """The named template at ``place``, if the dot there is its argument: it is in no ``range`` or ``with``."""
    start = tar.rfind(_DEFINE, max(0, place - _LONGEST), place)
    if start < 0:
        return None
    opened: list[bytes] = [b"define"]
    for block in _BLOCK.finditer(tar, start, place):
        if block[1] != b"end":
            opened.append(block[1])
        elif opened:
            opened.pop()
    is_inside = opened[:1] == [b"define"] and set(opened[1:]) <= {b"if"}
    return tar[start + len(_DEFINE) : tar.find(b'"', start + len(_DEFINE))] if is_inside else None


def _in_calls(tar: bytes, template: bytes, entry: bytes) -> set[bytes] | None:
    """What all calls of a named template pass as the first ``entry`` of their argument; None if one passes something else."""
    call = re.compile(rb'include "%b" \(\s*dict "%b" "([^"\n]+)"' % (re.escape(template), re.escape(entry)))
    names: set[bytes] = set()
    for start in _uses(tar, template):
        literal = call.match(tar, start - len(b'include "'))
        if literal:
            names.add(literal[1])
        elif not tar.startswith(_DEFINE, start - len(_DEFINE)):
            return None
    return names


def _uses(tar: bytes, template: bytes) -> Iterator[int]:
    """Where the name of a template stands in quotes, of either kind; prose quotes it like a raw string."""
    start = tar.find(template)
    while start >= 0:
        end = start + len(template)
        if tar.startswith((b'"', b"`"), end) and tar[start - _LONGEST_CALL : start].endswith(
            _BEFORE[tar[end : end + 1]]
        ):
            yield start
        start = tar.find(template, end)
