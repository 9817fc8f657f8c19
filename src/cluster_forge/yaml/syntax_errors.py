"""What is wrong with a file that is not YAML, in plain words, and how to fix it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import yaml

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.yaml.conflict_markers import conflict_line

_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")


def explain(error: yaml.YAMLError, text: str, file: str) -> DescriptionError:
    """The parser's error with ``file:line``, in words that need no knowledge of the parser."""
    line = conflict_line(text)
    if line is not None:
        return DescriptionError(
            "the file has an unresolved merge conflict",
            where=f"{file}:{line}",
            fix="resolve it, and remove the lines <<<<<<<, ======= and >>>>>>>",
        )
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _unreadable(error, text, file)
    spot = _Spot(error, text)
    explained = next((explanation for rule in _RULES if (explanation := rule(spot))), None)
    message, fix = explained or (f"not YAML: {spot.problem}", None)
    return DescriptionError(message, where=f"{file}:{spot.line}", fix=fix)


def _unreadable(error: yaml.YAMLError, text: str, file: str) -> DescriptionError:
    position = getattr(error, "position", 0)
    character = getattr(error, "character", None)
    shown = f"U+{character:04X}" if isinstance(character, int) else repr(character)
    line = text.encode()[:position].count(b"\n") + 1
    return DescriptionError(
        f"character not allowed in YAML: {shown}",
        where=f"{file}:{line}",
        fix="remove it, or write it as an escape in double quotes",
    )


@dataclass(frozen=True)
class _Spot:
    """Where the parser stopped, and what it was reading."""

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
        """The line in which the malformed part starts."""
        mark = self.error.context_mark or self.error.problem_mark
        return mark.line + 1 if mark else 1

    @cached_property
    def line(self) -> int:
        """The line to report: never beyond the end of the text."""
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
        """The line from the position on."""
        mark = self.error.problem_mark
        return self.lines[mark.line][mark.column :] if mark and mark.line < len(self.lines) else ""

    @property
    def before(self) -> str:
        """The line up to the position."""
        mark = self.error.problem_mark
        return self.lines[mark.line][: mark.column] if mark and mark.line < len(self.lines) else ""

    @property
    def indent(self) -> str:
        line = self.lines[self.line - 1]
        return line[: len(line) - len(line.lstrip())]


def _tab(spot: _Spot) -> tuple[str, str] | None:
    if "\t" in spot.indent or spot.rest.startswith("\t") or "tab character" in spot.problem:
        return "a tab where YAML allows only spaces", "indent with spaces"
    return None


def _start_of_token(spot: _Spot) -> tuple[str, str] | None:
    if "cannot start any token" not in spot.problem:
        return None
    return f"a value cannot start with {spot.rest[:1]!r}", "put the value in quotes"


def _colon(spot: _Spot) -> tuple[str, str] | None:
    if "mapping values are not allowed" not in spot.problem:
        return None
    return (
        "a ':' where no key is allowed",
        "indent the line like its neighbors, or put a value that contains ': ' in quotes",
    )


def _no_colon(spot: _Spot) -> tuple[str, str] | None:
    if "could not find expected ':'" not in spot.problem:
        return None
    return (
        f"the text that starts in line {spot.start} is neither a key nor part of a value",
        "add the ':' after a key, or indent the line as part of the value above",
    )


def _quote(spot: _Spot) -> tuple[str, str] | None:
    if "quoted scalar" not in spot.context:
        return None
    if "escape" in spot.problem or "hexdecimal" in spot.problem:
        return (
            "an unknown escape sequence in double quotes",
            "write \\\\ for a backslash, or use single quotes",
        )
    return f"the quote opened in line {spot.start} is not closed", "close it in the same line"


def _bracket(spot: _Spot) -> tuple[str, str] | None:
    for kind, opening, closing in (("flow sequence", "[", "]"), ("flow mapping", "{", "}")):
        if kind in spot.context:
            return (
                f"the '{opening}' in line {spot.start} is not closed, or a ',' is missing",
                f"close it with '{closing}'; a value in it that contains a comma or a bracket needs quotes",
            )
    return None


def _indentation(spot: _Spot) -> tuple[str, str] | None:
    if "did not find expected" in spot.problem and spot.before.strip():
        return (
            f"{spot.rest.strip()!r} after the end of a value",
            "put the whole value in one pair of quotes; inside '…', write a quote twice",
        )
    if "did not find expected key" in spot.problem:
        return (
            f"this line does not fit into the mapping that starts in line {spot.start}",
            "indent all keys of a mapping alike",
        )
    if "did not find expected '-' indicator" in spot.problem:
        return (
            f"this line is not an item of the list that starts in line {spot.start}",
            "start it with '- ', or indent it as part of the item above",
        )
    if "block sequence entries are not allowed" in spot.problem:
        return "a '-' where no list is allowed", "put the list on its own lines below the key"
    return None


def _nothing(spot: _Spot) -> tuple[str, str] | None:
    if "did not find expected node content" in spot.problem:
        return "a value is missing here", "write one, or close the '[' or '{' before it"
    return None


def _document(spot: _Spot) -> tuple[str, str] | None:
    if "expected <document start>" in spot.problem or "did not find expected <document start>" in spot.problem:
        return "this line does not belong to the document before it", "indent all top-level keys alike"
    if "directive" in spot.context:
        return (
            "a line that starts with '%' is a YAML directive, and this one is unknown",
            "put the value in quotes",
        )
    return None


def _anchor(spot: _Spot) -> tuple[str, str] | None:
    if "alias" in spot.context or "anchor" in spot.context:
        return "'*' and '&' start an alias or an anchor, but no name follows", "put the value in quotes"
    return None


_RULES = (_tab, _quote, _start_of_token, _colon, _no_colon, _bracket, _anchor, _indentation, _nothing, _document)
