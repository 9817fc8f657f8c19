"""What is wrong with a text that is no YAML, in plain words, and how to mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import yaml

from cluster_forge.foundation.errors import DescriptionError

_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_CONFLICT = ("<<<<<<< ", ">>>>>>> ")


def conflict_line(text: str) -> int | None:
    """The line of the first marker that an unfinished Git merge left."""
    if not all(marker in text for marker in _CONFLICT):
        return None
    lines = text.split("\n")
    if not all(any(line.startswith(marker) for line in lines) for marker in _CONFLICT):
        return None
    return next(number for number, line in enumerate(lines, 1) if line.startswith(_CONFLICT[0]))


def explain(error: yaml.YAMLError, text: str, file: str) -> DescriptionError:
    """The error as its reader needs it: with ``file:line``, and without the parser's terms."""
    line = conflict_line(text)
    if line is not None:
        return DescriptionError(
            "a merge conflict was left in the file",
            where=f"{file}:{line}",
            fix="decide between the two versions and remove the lines <<<<<<<, ======= and >>>>>>>",
        )
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _unreadable(error, text, file)
    spot = _Spot(error, text)
    said = next((advice for rule in _RULES if (advice := rule(spot))), None)
    message, fix = said or (f"this is not YAML: {spot.problem}", None)
    return DescriptionError(message, where=f"{file}:{spot.line}", fix=fix)


def _unreadable(error: yaml.YAMLError, text: str, file: str) -> DescriptionError:
    position = getattr(error, "position", 0)
    character = getattr(error, "character", None)
    shown = f"U+{character:04X}" if isinstance(character, int) else repr(character)
    line = text.encode()[:position].count(b"\n") + 1
    return DescriptionError(
        f"a character that YAML does not allow ({shown})",
        where=f"{file}:{line}",
        fix="remove it, or write it as an escape in double quotes",
    )


@dataclass(frozen=True)
class _Spot:
    """Where the parser stumbled and where it came from."""

    error: yaml.MarkedYAMLError
    text: str

    @property
    def problem(self) -> str:
        return self.error.problem or "unreadable"

    @property
    def context(self) -> str:
        return self.error.context or ""

    @property
    def start(self) -> int:
        """The line in which the thing began that is not well formed."""
        mark = self.error.context_mark or self.error.problem_mark
        return mark.line + 1 if mark else 1

    @cached_property
    def line(self) -> int:
        """The line to look at: never beyond the end of the text."""
        if "quoted scalar" in self.context and "end of stream" in self.problem:
            return self.start
        mark = self.error.problem_mark
        last = max((number for number, line in enumerate(self.lines, 1) if line), default=1)
        return min(mark.line + 1, last) if mark else 1

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines as YAML 1.1 counts them."""
        return _BREAK.split(self.text)

    @property
    def rest(self) -> str:
        """What stands in the line from the place on."""
        mark = self.error.problem_mark
        return self.lines[mark.line][mark.column :] if mark and mark.line < len(self.lines) else ""

    @property
    def before(self) -> str:
        """What stands in the line before the place."""
        mark = self.error.problem_mark
        return self.lines[mark.line][: mark.column] if mark and mark.line < len(self.lines) else ""

    @property
    def indent(self) -> str:
        line = self.lines[self.line - 1]
        return line[: len(line) - len(line.lstrip())]


def _tab(spot: _Spot) -> tuple[str, str] | None:
    if "\t" in spot.indent or spot.rest.startswith("\t") or "tab character" in spot.problem:
        return "a tab stands where YAML allows only spaces", "indent with spaces"
    return None


def _start_of_token(spot: _Spot) -> tuple[str, str] | None:
    if "cannot start any token" not in spot.problem:
        return None
    return f"a value cannot begin with {spot.rest[:1]!r}", "put the value into quotes"


def _colon(spot: _Spot) -> tuple[str, str] | None:
    if "mapping values are not allowed" not in spot.problem:
        return None
    return (
        "a ':' stands where no key can stand",
        "align the line with its neighbours, or put a value that holds ': ' into quotes",
    )


def _no_colon(spot: _Spot) -> tuple[str, str] | None:
    if "could not find expected ':'" not in spot.problem:
        return None
    return (
        f"the text that begins in line {spot.start} is neither a key nor part of a value",
        "is a ':' missing after a key, or is the line indented too little?",
    )


def _quote(spot: _Spot) -> tuple[str, str] | None:
    if "quoted scalar" not in spot.context:
        return None
    if "escape" in spot.problem or "hexdecimal" in spot.problem:
        return (
            "an unknown escape (a backslash and what follows) in double quotes",
            "write \\\\ for a backslash, or use single quotes",
        )
    return f"the quote that is opened in line {spot.start} is never closed", "close it in the same line"


def _bracket(spot: _Spot) -> tuple[str, str] | None:
    for kind, opening, closing in (("flow sequence", "[", "]"), ("flow mapping", "{", "}")):
        if kind in spot.context:
            return (
                f"the '{opening}' in line {spot.start} is not closed, or a ',' is missing",
                f"close it with '{closing}'; a value in it that holds a comma or a bracket needs quotes",
            )
    return None


def _indentation(spot: _Spot) -> tuple[str, str] | None:
    if "did not find expected" in spot.problem and spot.before.strip():
        return (
            f"{spot.rest.strip()!r} stands after the end of a value",
            "put the whole value into one pair of quotes; inside '…' a quote is doubled",
        )
    if "did not find expected key" in spot.problem:
        return (
            f"this line does not fit into the mapping that begins in line {spot.start}",
            "indent the keys of one mapping alike",
        )
    if "did not find expected '-' indicator" in spot.problem:
        return (
            f"this line is no item of the list that begins in line {spot.start}",
            "begin it with '- ', or indent it as part of the item above",
        )
    if "block sequence entries are not allowed" in spot.problem:
        return "a '-' stands where no list can begin", "put the list on lines of its own below the key"
    return None


def _nothing(spot: _Spot) -> tuple[str, str] | None:
    if "did not find expected node content" in spot.problem:
        return "a value is missing here", "write one, or close the '[' or '{' before it"
    return None


def _document(spot: _Spot) -> tuple[str, str] | None:
    if "expected <document start>" in spot.problem or "did not find expected <document start>" in spot.problem:
        return "this does not belong to what stands before it", "indent all keys of the top alike"
    if "directive" in spot.context:
        return (
            "a line that begins with '%' is a directive to YAML, and this one means nothing",
            "put the value into quotes",
        )
    return None


def _anchor(spot: _Spot) -> tuple[str, str] | None:
    if "alias" in spot.context or "anchor" in spot.context:
        return "'*' and '&' begin the name of an alias or an anchor, and none follows", "put the value into quotes"
    return None


_RULES = (_tab, _quote, _start_of_token, _colon, _no_colon, _bracket, _anchor, _indentation, _nothing, _document)
