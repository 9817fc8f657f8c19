"""YAML by a fast parser if a scan of the text proves that it reads as Kubernetes does; else by an exact reader.

The parser (yaml-rs) follows YAML 1.2; Kubernetes reads with Go's ``sigs.k8s.io/yaml`` (`yaml.scalar_reader` has its rules).
The scan is a grammar of the subset that nearly all manifests use and that both read in the same way: block mappings and
sequences with plain keys; text that begins with a letter and is not a word that one of them reads as a boolean; short
decimal integers, versions and quantities; quoted scalars; literal scalars; flow mappings and sequences of words on one line.
It knows where a literal or quoted scalar ends, so that prose is never taken for structure. A document with anything else
(anchors, tags, octal numbers, folded scalars, tabs, …) goes to the exact reader. A corpus test and a differential test compare
the two.
"""

from __future__ import annotations

import re
import sys
import threading
from functools import cache
from typing import Any

from cluster_forge.ports.rendering import YamlDocument, YamlReader

_PLAIN = bytes((0x0A, *range(0x20, 0x7F)))
_WORDS = "[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"
_NUMBERS = "[.](?:inf|Inf|INF|nan|NaN|NAN)"
CONSTANTS = f"{_WORDS}|{_NUMBERS}|true|True|TRUE|false|False|FALSE|null|Null|NULL"
"""Plain text that a reader takes for something else."""
_REST = r"[ ]*(?:[ ]\#[^\n]*)?\n"
_KEY = rf"""(?: (?!(?:{CONSTANTS}):) (?:[A-Za-z/$]|__?(?=[A-Za-z/])|[.](?=[A-Za-z_/]))[^\s:\#'"\[\]{{}},&*!|>%@`?]*+ (?:[:\#][^\s:\#'"\[\]{{}},&*!|>%@`?]++)*+
             | "[^"\\\n]*+" | '[^'\n]*+' )"""
_TEXT = r"(?:[^\n:\#]++|:(?![ \n])|(?<!\ )\#)*+"
_END_OF_TEXT = r"(?:(?<=[ ])\#[^\n]*)?+\n"
"""The rest of a line of plain text: nothing, or a comment."""
_LINE = rf"""(?:
      (?:true|false|null){_REST}
    | (?!(?:{_WORDS}|{_NUMBERS}){_REST}) (?:[A-Za-z/($^\\;=\u00a1-\U0010ffff] | [.][A-Za-z/] | __?[A-Za-z/] | --?[A-Za-z]) {_TEXT} {_END_OF_TEXT}
    | -?(?:0|[1-9][0-9]{{0,17}}){_REST}
    | -?[0-9]+[.][0-9]{{0,9}}[1-9]{_REST}
    | [1-9][0-9]*+ (?:[.][0-9]++)?+ (?: [.][0-9]++{_TEXT} | (?:[A-DF-Za-df-z%/]|:(?![ \n])){_TEXT} ) {_END_OF_TEXT}
    | 0[.][0-9]++[.][0-9]++{_TEXT} {_END_OF_TEXT}
    | [0-9]++ (?:[.][0-9]++)*+ (?:-[A-Za-z]|[.][xX*]) {_TEXT} {_END_OF_TEXT}
    | 0(?:ms|[smhd]){_REST}
    | [0-9]++[ ]++(?![\#\n]){_TEXT} \n
    | (?=[0-9a-f]*[acdf]) [0-9a-f]{{16,}}{_REST}
    )"""
"""The first line of plain text, or a number; versions, quantities and digests are text."""
_BREAK = r"\n(?=[ \n])"
_QUOTED = rf"""(?: '(?:[^'\n]++|\'\'|{_BREAK})*+' | "(?:[^"\\\n]++|\\["\\nt\ ]|\\?{_BREAK})*+" ){_REST}"""
_ATOM = rf"""(?: "[^"\\\n]*+" | '[^'\n]*+' | (?!(?:{_WORDS})[ ]*[,\]}}]) (?:__?|--?)?+ [A-Za-z/][A-Za-z0-9_./*=-]*+
                 | 0(?=[ ,\]}}]) | [1-9][0-9]*+ (?: (?<![0-9]{{16}}) (?=[ ,\]}}]) | [A-DF-Za-df-z%/][A-Za-z0-9_./-]*+ | (?:[.][0-9]++){{2,}}+[A-Za-z0-9_./-]*+ ) )"""
"""A value in a flow collection: a quoted text, a word, a short number, a quantity, a version."""
_SEPARATOR = r"[ ]*(?:,(?![ ]*[\]}])|(?=[\]}]))"
_FLOW_KEY = rf"""(?: "[^"\\\n]*+" | '[^'\n]*+' | (?!(?:{CONSTANTS}):) [A-Za-z/][A-Za-z0-9_./-]*+ )"""


def _flow(value: str) -> str:
    """A flow mapping or sequence on one line."""
    pair = rf"{_FLOW_KEY}:[ ]++{value}"
    return rf"(?: {{ (?:[ ]*+{pair}{_SEPARATOR})*+ [ ]*}} | \[ (?:[ ]*+{value}{_SEPARATOR})*+ [ ]*\] )"


_FLOW = _flow(f"(?: {_ATOM} | {_flow(f'(?: {_ATOM} | {_flow(_ATOM)} )')} )")
"""Flow collections in one another, three deep."""
_SIMPLE = rf"(?: {_QUOTED} | ~{_REST} )"


def _value(deeper: str) -> str:
    """A value after a key or a hyphen; ``deeper`` is how the other lines of a text or a literal begin."""
    return rf"""(?: {_LINE} (?:[ ]*\n)*+ (?:{deeper}(?![\s\#]){_TEXT}\n(?:[ ]*\n)*+)*+ | {_SIMPLE} | \|[1-9]?-?[ ]*\n (?:[ ]*\n|{deeper}[^\n]*+\n)*+ )"""


_IN_MAPPING, _IN_LIST, _IN_MAPPING_IN_LIST = (_value(start) for start in (r"\1[ ]++", r"\2[ ]++", r"\2[ ]{3,}+"))


@cache
def _alike() -> re.Pattern[str]:
    """A document that both readers read in the same way. Compiled on first use: that takes 20 ms."""
    return re.compile(
        rf"""
        (?: [ ]*+(?:\#[^\n]*+)?\n
          | [ ]++ (?: {{}}{_REST} | \[\]{_REST} | {_QUOTED} )
          | ([ ]*+) {_KEY}:(?: {_REST} | [ ]+{_IN_MAPPING} )
          | ([ ]*+) -[ ] (?: {_KEY}:(?: {_REST} | [ ]+{_IN_MAPPING_IN_LIST} ) | {_IN_LIST} )
          | [ ]*+ (?: {_KEY}:[ ]+ | -[ ] (?:{_KEY}:[ ]+)?+ ) {_FLOW}{_REST}
        )*+
        """,
        re.X,
    )


_DEEP = "\n" + " " * 400
"""Nesting that the parser must not see: it recurses."""

_END = "cluster-forge/end"
_SENTINEL = f"{_END}: 1\n"
"""A line after the document, so that a literal scalar at its end is read like any other. It needs the line break that
`manifests.split` puts at the end of every document."""


class FastYaml:
    """`ports.YamlReader`; ``exact`` reads what does not pass the scan."""

    def __init__(self, exact: YamlReader) -> None:
        self._exact = exact

    def read(self, document: str) -> Any:
        return value_of(document) or self._exact.read(document)

    def examine(self, document: str) -> YamlDocument:
        """The parser refuses a document with a repeated key."""
        value = value_of(document)
        return YamlDocument(value=value) if value else self._exact.examine(document)


def value_of(document: str) -> dict[str, Any] | None:
    """The document's value; None or empty if the exact reader must read it."""
    if not is_readable(document):
        return None
    import yaml_rs  # noqa: PLC0415 - it must not be imported in a thread that ends: see `_may_import`

    try:
        value: Any = yaml_rs.loads(document + _SENTINEL, parse_datetime=False)
        del value[_END]
    except (yaml_rs.YAMLDecodeError, KeyError, TypeError):
        return None  # the exact reader decides whether it is an error, in Go's words
    return value if isinstance(value, dict) else None


def is_readable(document: str) -> bool:
    """Whether this reader takes ``document`` in the present thread."""
    return is_alike(document) and _may_import()


def _may_import() -> bool:
    """Whether yaml-rs is imported, or may be: 0.1.6 crashes when the thread that imported it has ended."""
    return "yaml_rs" in sys.modules or threading.current_thread() is threading.main_thread()


def is_alike(document: str) -> bool:
    """Whether both readers are known to read ``document`` in the same way."""
    return is_text(document) and _DEEP not in document and bool(_alike().fullmatch(document))


@cache
def _no_text() -> re.Pattern[str]:
    """Tabs, carriage returns, control characters, and what a reader may take for a space or a line break."""
    return re.compile(
        r"[^\n\x20-\x7e\u00a1-\u167f\u1681-\u180d\u180f-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff"
        r"\ue000-\ufdcf\ufdf0-\ufefe\uff01-\ufffd\U00010000-\U0010ffff]"
    )


def is_text(document: str) -> bool:
    """Whether ``document`` has no character that a reader may take for something else."""
    if document.isascii():
        return not document.encode().translate(None, _PLAIN)
    return not _no_text().search(document)
