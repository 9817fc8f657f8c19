"""Two versions of an object's text without what is surely the same in both: a CRD with megabytes of schemas, of which only an
annotation differs, need not be read twice.

The first version is as Cluster-Forge writes objects: a block mapping, whose fields begin at the first column. The second one is
anything. Where both begin with the same fields and end with the same fields, character by character, what is between is all
that may differ. It reads the same without the others if it is whole fields itself: an entry of a block mapping reads the same
wherever it stands (YAML 1.2.2, 8.2). It stands last, so that a text in which something stays open (a quote, a bracket) cannot
be read at all, and its reader must read the whole one.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple

_LEAST: Final = 4_000
"""Bytes that must be spared."""
_KEPT: Final = (b"apiVersion", b"kind", b"metadata")
"""What names the object."""
_TYPE: Final = frozenset({b"apiVersion", b"kind"})
"""What says how it is read."""

_FIELD: Final = rb"([A-Za-z][\w./-]*):(?=[ \n])"
_UNINDENTED: Final = re.compile(rb"\n(?=[^ \n])")
_FIELD_START: Final = re.compile(_FIELD)
_ITEM: Final = re.compile(rb"-[ \n]")
_OTHER_BREAK: Final = re.compile(rb"\r|\xc2\x85|\xe2\x80[\xa8\xa9]")
"""Line breaks of YAML 1.1 that are not those of Cluster-Forge."""
_COMMENTS: Final = re.compile(rb"(?:#[^\n]*\n)*+")


class Excerpts(NamedTuple):
    """What is left of the two versions."""

    before: bytes
    after: bytes


class _Field(NamedTuple):
    """A field of the object in a text, by its place."""

    name: bytes
    start: int
    end: int


def of(before: bytes, after: bytes) -> Excerpts | None:
    """Both versions without the fields that are the same in both, except those that name the object; None if they must be read
    as a whole. ``before`` is an object as Cluster-Forge writes it.
    """
    fields = _fields(before) if len(before) > _LEAST else []
    first, last = _differing(fields, before, after)
    same = [*fields[:first], *fields[last:]]
    names = {field.name for field in same}
    kept = b"".join(_text(before, field) for field in same if field.name in _KEPT)
    start, rest = sum(map(_length, fields[:first])), sum(map(_length, fields[last:]))
    old, new = before[start : len(before) - rest], after[start : len(after) - rest]
    is_pointless = len(before) - len(old) - len(kept) < _LEAST
    if is_pointless or not names >= _TYPE or not _is_fields(new, names) or (rest and new and not new.endswith(b"\n")):
        return None
    return Excerpts(kept + old, kept + new)


def _length(field: _Field) -> int:
    return field.end - field.start


def _fields(text: bytes) -> list[_Field]:
    """The fields of an object, all of its text; none if it is not written as expected."""
    starts = [0, *(match.end() for match in _UNINDENTED.finditer(text)), len(text)]
    fields: list[_Field] = []
    for start, end in pairwise(starts):
        if field := _FIELD_START.match(text, start):
            fields.append(_Field(field[1], start, end))
        elif fields and _ITEM.match(text, start):
            fields[-1] = fields[-1]._replace(end=end)
        elif start < end:
            return []
    return fields


def _differing(fields: list[_Field], before: bytes, after: bytes) -> tuple[int, int]:
    """Of the fields the first one that may differ, and the one after the last; the same one if nothing but additions differ."""
    first = 0
    while first < len(fields) and after[fields[first].start : fields[first].end] == _text(before, fields[first]):
        first += 1
    shift = len(after) - len(before)
    last = len(fields)
    floor = fields[first].start if first < len(fields) else len(before)
    while last > first:
        start, end = fields[last - 1].start + shift, fields[last - 1].end + shift
        if start < floor or after[start:end] != _text(before, fields[last - 1]):
            break
        last -= 1
    return first, last


def _text(text: bytes, field: _Field) -> bytes:
    return text[field.start : field.end]


def _is_fields(text: bytes, others: set[bytes]) -> bool:
    """Whether a text is surely made of whole fields, or would be no object, and has none of the ``others``."""
    begin = _COMMENTS.match(text)
    assert begin
    if begin.end() == len(text):
        return True
    starts = [match.end() for match in _UNINDENTED.finditer(text, begin.end())]
    first, *further = [_FIELD_START.match(text, start) for start in (begin.end(), *starts)]
    return (
        first is not None
        and not _OTHER_BREAK.search(text)
        and all(
            field or text.startswith(b"#", start) or _ITEM.match(text, start)
            for field, start in zip(further, starts, strict=True)
        )
        and not any(field and field[1] in others for field in (first, *further))
    )
