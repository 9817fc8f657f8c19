"""``.helmignore``, as Helm 4 reads it (Helm, ``pkg/ignore``; the patterns are those of Go's ``filepath.Match``).

One pattern per line; ``#`` starts a comment line. A pattern with a slash is matched against the path relative to the chart,
one without against its last part; with a trailing slash it matches directories only, and a directory is ignored with all
its content. The first matching pattern decides. ``!pattern`` differs from Git's: it ignores everything that does *not*
match. ``templates/.?*`` is always ignored.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cluster_forge.foundation.errors import ArchiveError

_LONGEST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    pattern: re.Pattern[str]
    negated: bool
    folders_only: bool
    whole_path: bool

    def decides(self, path: str, *, is_folder: bool) -> bool:
        """Whether the rule ignores ``path``."""
        subject = path if self.whole_path else posixpath.basename(path)
        matches = (is_folder or not self.folders_only) and bool(self.pattern.match(subject))
        return matches is not self.negated


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one ``.helmignore``."""

    rules: Sequence[_Rule]

    def ignores(self, path: str) -> bool:
        """Whether the file at ``path``, or a directory that it is in, is ignored."""
        folders = [path[:end] for end, letter in enumerate(path) if letter == "/"]
        return any(self._decided(folder, is_folder=True) for folder in folders) or self._decided(path, is_folder=False)

    def _decided(self, path: str, *, is_folder: bool) -> bool:
        return any(rule.decides(path, is_folder=is_folder) for rule in self.rules)


def parse(content: bytes, where: str) -> Rules:
    """Read a ``.helmignore``; ``where`` is its path in messages.

    Raises:
        ArchiveError: with the line of a pattern that Helm rejects.
    """
    rules: list[_Rule] = []
    lines = content.decode("utf-8-sig", errors="surrogateescape").split("\n")
    for number, line in enumerate([*lines, "templates/.?*"], 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            rules.append(_rule(text))
        except ValueError as error:
            raise ArchiveError(
                f"{text!r}: {error}", where=f"{where}:{number}", fix="correct the pattern; Helm rejects it, too"
            ) from error
    return Rules(rules)


def _rule(text: str) -> _Rule:
    if len(text) > _LONGEST:
        raise ValueError(f"pattern too long: {len(text):,} characters (limit {_LONGEST:,})")
    if "**" in text:
        raise ValueError("'**' is not supported")
    negated = text.startswith("!")
    pattern = text.removeprefix("!")
    folders_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    return _Rule(
        pattern=_compiled(pattern.removeprefix("/")),
        negated=negated,
        folders_only=folders_only,
        whole_path="/" in pattern,
    )


def _compiled(glob: str) -> re.Pattern[str]:
    """Go's ``filepath.Match`` as a regular expression. As in Go, a star ends at the first place where the rest up to the next
    star matches, without backtracking: no pattern takes long.

    Raises:
        ValueError: for a pattern that Go rejects.
    """
    chunks = [""]
    position = 0
    while position < len(glob):
        if glob[position] == "*":
            chunks.append("")
            position += 1
            continue
        if glob[position] == "?":
            part, position = "[^/]", position + 1
        elif glob[position] == "[":
            part, position = _class(glob, position + 1)
        else:
            letter, position = _letter(glob, position)
            part = re.escape(letter)
        chunks[-1] += part
    first, *others = chunks
    middle = "".join(f"(?>[^/]*?{chunk})" for chunk in others[:-1])
    last = f"[^/]*?{others[-1]}" if others else ""
    return re.compile(rf"{first}{middle}{last}\Z", re.S)


def _class(glob: str, position: int) -> tuple[str, int]:
    """A character class; ``position`` is after its opening bracket. It matches a slash, too, as Go's does."""
    negated = glob[position : position + 1] == "^"
    position += negated
    ranges: list[str] = []
    begin = position
    while position == begin or glob[position : position + 1] != "]":
        low, position = _bound(glob, position)
        high = low
        if glob[position] == "-":
            high, position = _bound(glob, position + 1)
        if low <= high:
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
    if not ranges:
        return "." if negated else "(?!)", position + 1
    return f"[{'^' if negated else ''}{''.join(ranges)}]", position + 1


def _bound(glob: str, position: int) -> tuple[str, int]:
    """One end of a range, and the position after it, which must exist."""
    if glob[position : position + 1] in ("", "-", "]"):
        raise ValueError("invalid characters in brackets")
    letter, position = _letter(glob, position)
    if position == len(glob):
        raise ValueError("a bracket is not closed")
    return letter, position


def _letter(glob: str, position: int) -> tuple[str, int]:
    """A literal character, possibly escaped by a backslash, and the position after it."""
    if glob[position] == "\\":
        position += 1
    if position == len(glob):
        raise ValueError("it ends with a backslash")
    return glob[position], position + 1
