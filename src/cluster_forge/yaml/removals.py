"""Taking members and items out of a YAML text: every other character stays as it is written, comments and line ends included.

A comment goes with what stands in its line, and with the part that it is inside of; one on a line of its own before a part stays.
What cannot be taken out so is left, with the reason. The caller reads the result again: a text is never believed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cluster_forge.yaml.positioned import Path
from cluster_forge.yaml.text_tree import Part

_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_COMMENT: Final = re.compile(r"\s*#")


class NotRemovable(Exception):  # noqa: N818 - no error: the part stays
    """Why a part of a text cannot be taken out."""


class _Cut(NamedTuple):
    start: int
    end: int


def without(text: str, root: Part, paths: Collection[Path]) -> tuple[str, Mapping[Path, str]]:
    """``text``, whose parts are those of ``root``, without those at ``paths`` and without the collections that are empty then;
    and the reason for each path that is left. ``text`` has no byte order mark.
    """
    left: dict[Path, str] = {}
    while True:
        editor = _Editor(text, root, frozenset(paths) - left.keys())
        cuts = list(editor.cuts())
        if not editor.left:
            break
        left |= editor.left
    pieces: list[str] = []
    at = 0
    for start, end in sorted(cuts):
        pieces.append(text[at:start])
        at = max(at, end)
    return "".join((*pieces, text[at:])), left


@dataclass
class _Editor:
    """``wanted`` are the paths to take out, ``left`` those that cannot be."""

    text: str
    root: Part
    wanted: frozenset[Path]
    left: dict[Path, str] = field(default_factory=dict)
    _gone: set[Path] = field(default_factory=set)
    _spans: list[_Cut] = field(default_factory=list)

    def cuts(self) -> Iterator[_Cut]:
        """The characters to take out."""
        if not self.wanted:
            return
        if self._mark(self.root):
            self._leave(self.root, "nothing would be left in the file")
            return
        self._keep_anchors()
        if not self.left:
            yield from self._inside(self.root)

    def _mark(self, part: Part) -> bool:
        """Whether a part goes: it is wanted, or everything inside it goes."""
        if part.path in self.wanted:
            self._spans.append(_Cut(self._line_start(part.begin), self._line_end(part.end)))
            is_gone = True
        else:
            marks = [self._mark(child) for child in part.children]
            is_gone = bool(marks) and all(marks)
        if is_gone:
            self._gone.add(part.path)
        return is_gone

    def _keep_anchors(self) -> None:
        """Leave what sets an anchor that another part uses."""
        outside = _aliases(self.root, self._gone)
        for part in _outermost(self.root, self._gone):
            anchors = {name for inner in part.all() for name in inner.anchors} & outside.keys()
            if anchors:
                name = min(anchors)
                self._leave(part, f"line {outside[name]} uses its anchor &{name}")

    def _leave(self, part: Part, reason: str) -> None:
        size = len(part.path)
        self.left |= {path: reason for path in self.wanted if path[:size] == part.path}

    def _inside(self, part: Part) -> Iterator[_Cut]:
        cut = self._of_flow if part.is_flow else self._of_block
        for run in _runs(part.children, self._gone):
            try:
                yield from list(cut(part.children, run))
            except NotRemovable as left:
                for number in run:
                    self._leave(part.children[number], str(left))
        for child in part.children:
            if child.path not in self._gone:
                yield from self._inside(child)

    def _of_block(self, children: Sequence[Part], run: range) -> Iterator[_Cut]:
        first = children[run[0]]
        if self._begins_line(first.begin):
            yield from self._each(children, run)
            return
        if run[0] or len(run) == len(children):
            raise NotRemovable("it does not begin in a line of its own")
        # The first member of an item, in the line of the dash: the next one takes its place there.
        following = children[run[-1] + 1]
        if not any(self._remarks(first.begin, following.begin)):
            yield _Cut(first.begin, following.begin)
            return
        yield _Cut(len(self.text[: first.begin].rstrip(" \t")), self._content_end(first.end))
        yield from self._each(children, run[1:])

    def _each(self, children: Sequence[Part], run: range) -> Iterator[_Cut]:
        for number in run:
            yield from self._lines(children[number].begin, children[number].end)

    def _of_flow(self, children: Sequence[Part], run: range) -> Iterator[_Cut]:
        first, last = children[run[0]], children[run[-1]]
        before = children[run[0] - 1] if run[0] else None
        after = children[run[-1] + 1] if run[-1] + 1 < len(children) else None
        comma = re.compile(r"[ \t]*,?").match(self.text, last.end)
        end = comma.end() if comma else last.end
        if self._begins_line(first.begin) and _ends_line(self.text[end : self._content_end(end)]):
            yield from self._lines(first.begin, end)
        elif before and not self._has_remark(before.end, children[run[0] : run[-1] + 1]):
            yield _Cut(before.end, last.end)
        elif after and not self._has_remark(first.begin, children[run[0] : run[-1] + 2]):
            yield _Cut(first.begin, after.begin)
        else:
            raise NotRemovable("a comment stands between it and what is beside it")

    def _has_remark(self, at: int, parts: Sequence[Part]) -> bool:
        """Whether a comment stands between the end of each of ``parts`` and the next one's begin, from ``at`` on."""
        for part in parts:
            if part.begin > at and "#" in self.text[at : part.begin]:
                return True
            at = part.end
        return False

    def _lines(self, start: int, end: int) -> Iterator[_Cut]:
        """The lines from ``start`` to ``end``, without those of comments that do not belong to what goes."""
        at, last = self._line_start(start), self._line_end(end)
        for remark in self._remarks(at, last):
            yield _Cut(at, remark.start)
            at = remark.end
        yield _Cut(at, last)

    def _remarks(self, start: int, end: int) -> Iterator[_Cut]:
        """The lines of comments that are outside of every part that is wanted itself."""
        at = start
        while at < end:
            following = self._line_end(at)
            if _COMMENT.match(self.text[at:following]) and not any(one <= at < other for one, other in self._spans):
                yield _Cut(at, following)
            at = following

    def _begins_line(self, at: int) -> bool:
        return not self.text[self._line_start(at) : at].strip()

    def _line_start(self, at: int) -> int:
        while at and not _BREAK.match(self.text[at - 1]):
            at -= 1
        return at

    def _line_end(self, at: int) -> int:
        line_break = _BREAK.search(self.text, at)
        return line_break.end() if line_break else len(self.text)

    def _content_end(self, at: int) -> int:
        line_break = _BREAK.search(self.text, at)
        return line_break.start() if line_break else len(self.text)


def _ends_line(rest: str) -> bool:
    return not rest.strip() or bool(_COMMENT.match(rest))


def _runs(children: Sequence[Part], gone: Collection[Path]) -> Iterator[range]:
    """The longest runs of children that go."""
    start = None
    for number, child in enumerate(children):
        if child.path in gone:
            start = number if start is None else start
        elif start is not None:
            yield range(start, number)
            start = None
    if start is not None:
        yield range(start, len(children))


def _outermost(part: Part, gone: Collection[Path]) -> Iterator[Part]:
    if part.path in gone:
        yield part
    else:
        for child in part.children:
            yield from _outermost(child, gone)


def _aliases(part: Part, gone: Collection[Path]) -> dict[str, int]:
    """The line of the first alias for each anchor that a part uses that stays."""
    lines: dict[str, int] = {}
    if part.path not in gone:
        for name in part.aliases:
            lines.setdefault(name, part.line)
        for child in part.children:
            for name, line in _aliases(child, gone).items():
                lines.setdefault(name, line)
    return lines
