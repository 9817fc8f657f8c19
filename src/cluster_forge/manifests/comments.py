"""The comments in the text of an object, and another text of a part of it with the same ones.

Objects are written without comments (`emitter`), so each comment is the user's. A comment belongs to the field or list entry
below it, one at the end of a line to that line. In a text without that field it goes to the nearest one around it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

Path = tuple[str, ...]
"""Keys on the way to a field; a list entry by its name, or by its text."""


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments by the path of what they belong to, each with its ``#``: lines above, and at the end of a line."""

    above: Mapping[Path, tuple[str, ...]]
    beside: Mapping[Path, str]

    def __bool__(self) -> bool:
        return bool(self.above or self.beside)

    @property
    def lines(self) -> tuple[str, ...]:
        """All comments as lines, those at the ends of lines last."""
        return (*(line for lines in self.above.values() for line in lines), *self.beside.values())


@dataclass(frozen=True, slots=True)
class _Entry:
    """A field or a list entry: its path, the line that it begins in, and the line and column where its own line ends."""

    path: Path
    line: int
    value: yaml.Node


def of(text: str) -> Comments:
    """The comments in a text; none if it is not one YAML document."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        root = yaml.compose(plain, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError):
        return Comments({}, {})
    entries = list(_entries((), root)) if root else []
    hidden = {line for entry in entries for line in _inner_lines(entry.value)}
    above: dict[Path, tuple[str, ...]] = defaultdict(tuple)
    lines = plain.split("\n")
    for number, line in enumerate(lines):
        if line.lstrip(" ").startswith("#") and number not in hidden:
            path = next((entry.path for entry in entries if entry.line > number), ())
            above[path] = (*above[path], line.strip())
    beside = {entry.path: comment for entry in entries if (comment := _beside(entry, lines))}
    return Comments(above, beside)


def added(text: str, comments: Comments) -> str:
    """``text``, as the emitter writes it, with these comments."""
    root = yaml.compose(text, Loader=_LOADER)
    assert root is not None
    places: dict[Path, int] = {(): 0}
    for entry in _entries((), root):
        places.setdefault(entry.path, entry.line)
    lines = text.split("\n")
    before: dict[int, list[str]] = defaultdict(list)
    for path, texts in comments.above.items():
        before[places[_nearest(path, places)]] += texts
    for path, comment in comments.beside.items():
        place = _nearest(path, places)
        if place == path and not _opens_text(lines[places[place]]):
            lines[places[place]] += f"  {comment}"
        else:
            before[places[place]].append(comment)
    return "\n".join(line for number, line in enumerate(lines) for line in (*_indented(before[number], line), line))


def _nearest(path: Path, places: Mapping[Path, int]) -> Path:
    return next(path[:length] for length in range(len(path), -1, -1) if path[:length] in places)


def _indented(comments: Sequence[str], line: str) -> Iterator[str]:
    indent = line[: len(line) - len(line.lstrip(" "))]
    return (f"{indent}{comment}" for comment in comments)


def _opens_text(line: str) -> bool:
    """Whether a literal block begins in the line, whose header may not be followed by everything."""
    return line.rstrip("+-0123456789").endswith("|")


def _entries(path: Path, node: yaml.Node) -> Iterator[_Entry]:
    """Every field and list entry, the outer ones first."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            inner = (*path, str(name.value))
            yield _Entry(inner, name.start_mark.line, value)
            yield from _entries(inner, value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            inner = (*path, _label(item))
            yield _Entry(inner, item.start_mark.line, item)
            yield from _entries(inner, item)


def _label(item: yaml.Node) -> str:
    if isinstance(item, yaml.ScalarNode):
        return f"={item.value}"
    if isinstance(item, yaml.MappingNode):
        members: dict[Any, yaml.Node] = {name.value: value for name, value in item.value if isinstance(name.value, str)}
        named = members.get("name") or next(iter(members.values()), None)
        return f"={named.value}" if isinstance(named, yaml.ScalarNode) else "="
    return "="


def _inner_lines(node: yaml.Node) -> range:
    """The lines of a text of several lines: a ``#`` in it begins no comment."""
    if not isinstance(node, yaml.ScalarNode) or node.start_mark.line == node.end_mark.line:
        return range(0)
    last = node.end_mark.line + (node.end_mark.column > 0)
    if node.style in ("|", ">"):
        last = node.start_mark.line + 1 + node.value.count("\n") + (not node.value.endswith("\n"))
    return range(node.start_mark.line + 1, last)


def _beside(entry: _Entry, lines: Sequence[str]) -> str:
    """The comment at the end of the line of a scalar."""
    value = entry.value
    if not isinstance(value, yaml.ScalarNode) or value.style in ("|", ">") or value.end_mark.line >= len(lines):
        return ""
    rest = lines[value.end_mark.line][value.end_mark.column :].strip()
    return rest if rest.startswith("#") else ""
