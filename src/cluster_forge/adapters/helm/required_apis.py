"""The API versions that a chart asks its cluster for (Helm, "Built-in Objects", ``Capabilities.APIVersions``).

Known is what stands in the chart by name: ``.APIVersions.Has "policy/v1"``, ``has "policy/v1" .Capabilities.APIVersions``, and
a named template that looks up an entry of its argument, if everything that mentions it is a call that names it:
``include "common.has" (dict "version" "policy/v1" "context" $)``. A chart with anything else may ask for any.
"""

from __future__ import annotations

import re
from typing import Final

_LIST: Final = b".APIVersions"
_GZIP: Final = b"\x1f\x8b\x08"
_NAME: Final = rb'"([^"\\\n]+)"'
_HAS: Final = re.compile(rb"\.APIVersions\.Has " + _NAME)
_IN_LIST: Final = re.compile(rb"\bhas " + _NAME + rb" [$.\w]*\Z")
_NO_MORE: Final = re.compile(rb"\.APIVersions[\s)]")
_HAS_ENTRY: Final = re.compile(rb"\.APIVersions\.Has \.(\w+)[\s)]")
_LINE: Final = 500
"""Bytes before a lookup in which the rest of its expression is searched."""

_DEFINE: Final = b'define "'
_BLOCK: Final = re.compile(rb"\{\{-?\s*(if|range|with|block|define|end)\b")
_OTHER_DOT: Final = re.compile(rb"else\s+(?:with|range)\b")
_LONGEST: Final = 4000
"""Bytes of a named template."""
_FILE: Final = rb"\(\s*print [$.\w]*\.Template\.BasePath\b"
_UNCLEAR: Final = re.compile(rb"(?:\binclude|\{\{-?\s*template)\s+(?!%b)(?:[(`$.]|\"[^\"\n]*\\)|\bdefine\s+`" % _FILE)
"""A call whose template is not named in double quotes, nor a file of the chart; or a template that is not named so."""
_MOST: Final = 20
"""Named templates that look up an entry: each is searched in the whole chart."""


def of(tar: bytes) -> frozenset[str] | None:
    """The API versions that a chart, as a tar, looks up; None if they may be any: one is not named, or a dependency is packed."""
    names: set[bytes] = set()
    entries: set[tuple[bytes, bytes]] = set()
    place = tar.find(_LIST)
    while place >= 0:
        if name := _named(tar, place):
            names.add(name)
        elif entry := _entry(tar, place):
            entries.add(entry)
        else:
            return None
        place = tar.find(_LIST, place + 1)
    if _GZIP in tar or len(entries) > _MOST or (entries and _UNCLEAR.search(tar)):
        return None
    for template, key in entries:
        passed = _passed(tar, template, key)
        if not passed:
            return None
        names |= passed
    return frozenset(name.decode(errors="replace") for name in names)


def _named(tar: bytes, place: int) -> bytes | None:
    """The API version that the lookup at ``place`` names."""
    if literal := _HAS.match(tar, place):
        return literal[1]
    literal = _IN_LIST.search(tar[max(0, place - _LINE) : place])
    return literal[1] if literal and _NO_MORE.match(tar, place) else None


def _entry(tar: bytes, place: int) -> tuple[bytes, bytes] | None:
    """The named template at ``place``, and the entry of its argument that it looks up there: in no ``range`` or ``with``."""
    entry = _HAS_ENTRY.match(tar, place)
    start = tar.rfind(_DEFINE, max(0, place - _LONGEST), place)
    if not entry or start < 0 or _OTHER_DOT.search(tar, start, place):
        return None
    opened = [b"define"]
    for block in _BLOCK.finditer(tar, start, place):
        if block[1] != b"end":
            opened.append(block[1])
        elif opened:
            opened.pop()
    if opened[:1] != [b"define"] or not set(opened[1:]) <= {b"if"}:
        return None
    start += len(_DEFINE)
    return tar[start : tar.find(b'"', start)], entry[1]


def _passed(tar: bytes, template: bytes, key: bytes) -> set[bytes]:
    """What all calls of a named template pass as the entry ``key`` of their argument; empty if something else mentions it."""
    call = re.compile(
        rb'include "%b" \(\s*dict "%b" %b "(?!%b")\w+" [$.\w]+\s*\)' % (re.escape(template), key, _NAME, key)
    )
    names: set[bytes] = set()
    start = tar.find(template)
    while start >= 0:
        end = start + len(template)
        quotes = tar[start - 1 : start] + tar[end : end + 1]
        if literal := call.match(tar, start - len(b'include "')):
            names.add(literal[1])
        elif quotes != b"``" and not (quotes == b'""' and tar.startswith(_DEFINE, start - len(_DEFINE))):
            return set()
        start = tar.find(template, end)
    return names
