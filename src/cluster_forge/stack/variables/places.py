"""Where in a file a reference is: line and column, found in the file's text when there is an error to show."""

from __future__ import annotations

from collections.abc import Callable

from cluster_forge.yaml.positioned import Positioned

Read = Callable[[str], bytes | None]
"""A file's content by the path that `Positioned.file` has; None if there is no such file."""


def of(part: Positioned, snippet: str, offset: int, read: Read) -> str:
    """``file:line:column`` of the place ``offset`` characters into ``snippet``, which is in ``part``; without the column where the
    file writes the snippet in another way, with escapes or over several lines.
    """
    content = read(part.file) if part.line else None
    if content is None:
        return part.where
    lines = content.decode(errors="replace").splitlines(keepends=True)
    start = sum(map(len, lines[: part.line - 1]))
    text = "".join(lines)
    begin = text.find(snippet, start)
    if begin < 0:
        return part.where
    position = begin + offset
    line = text.count("\n", 0, position) + 1
    return f"{part.file}:{line}:{position - text.rfind(chr(10), 0, position)}"
