"""Where each chart is in a large index, so that only those that are asked for are read.

Helm writes the name of a chart two spaces deep, and everything of it deeper or as items of a list. In a text that is
written like that throughout, the charts are found by their lines; any other text is for the YAML reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_ENTRIES: Final = re.compile(rb"^entries:[ ]*\n", re.MULTILINE)
_END: Final = re.compile(rb"\n(?=[^ \n])")
_SHALLOW: Final = re.compile(rb"\n( {1,2})(?! |- )([^\n]*)")
"""A line that is neither an item of a list nor deeper than the name of a chart."""
_NAME: Final = re.compile(rb"([A-Za-z][A-Za-z0-9._-]{0,250}):")


def find(content: bytes) -> Mapping[str, bytes] | None:
    """The lines of each chart, the one with its name first; None if the text is written in another way.

    A name that stands twice has its last lines.
    """
    starts = list(_ENTRIES.finditer(content))
    if len(starts) != 1 or any(odd in content for odd in (b"\r", b"\t", b"\n---", b"\n...")):
        return None
    first = starts[0].end() - 1
    end = _END.search(content, first)
    last = end.start() if end else len(content)
    names: list[tuple[str, int]] = []
    for line in _SHALLOW.finditer(content, first, last):
        name = _NAME.fullmatch(line[2])
        if name is None or line[1] != b"  ":
            return None
        names.append((name[1].decode(), line.start() + 1))
    if not names or names[0][1] != first + 1:
        return None
    ends = [start for _, start in names[1:]] + [last + 1]
    return {name: content[start:stop] for (name, start), stop in zip(names, ends, strict=True)}
