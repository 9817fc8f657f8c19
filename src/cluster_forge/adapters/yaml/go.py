"""YAML as Kubernetes reads it, by Go's ``sigs.k8s.io/yaml`` in Helm's library. It releases the GIL.

Documents that it does not read correctly go to the reader in Python: it rounds integers above 2^53, refuses a document that
is not a mapping, reads an empty one as ``{}``, and ignores what follows the first document, a top-level flow mapping, or an
indented one.
"""

from __future__ import annotations

import ctypes
import functools
import re
from typing import Any

import orjson

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.ports.rendering import YamlDocument, YamlReader
from cluster_forge.yaml import syntax_hints
from cluster_forge.yaml.repeated_keys import repeated_keys

_DIGITS = bytes(0x30 if byte in b"0123456789_" else 0x20 for byte in range(256))
_LONG = b"0" * 16
"""2^53 has sixteen digits: a shorter integer is exact."""

_LONG_HEX = re.compile(r"0[xX][0-9a-fA-F_]{13}")
_IDLE_LINE = re.compile(r"[ \t]*(?:#.*)?\n")
_BLOCK_MAPPING = re.compile(r"[A-Za-z\"']")
"""The start of a document, after idle lines, whose end Go's reader checks."""

_ENDED = re.compile("[\n\r\x85\u2028\u2029](?:(?:---|[.]{3})(?:\\s|\\Z)|%)")
_MAY_BE_ENDED = ("\n---", "\n...", "\n%", "\r---", "\r...", "\r%")
_MAY_BE_ENDED_TOO = ("\x85", "\u2028", "\u2029")
"""Line breaks to YAML 1.1."""

_BEYOND = ("cannot unmarshal", "unknown escape character")
"""Errors of Go's call for valid YAML: a document that is not a mapping; JSON's ``\\/``."""

_REASON = re.compile(r"error converting YAML to JSON: (?:yaml: )?(.*)", re.S)
_LINE = re.compile(r"^line (\d+): ")


class GoYaml:
    """`ports.YamlReader`; ``exact`` reads what Go's call would round or refuse."""

    def __init__(self, exact: YamlReader) -> None:
        self._exact = exact

    def read(self, document: str) -> Any:
        if "\0" in document:
            raise ManifestError("not YAML: it contains a NUL character", fix="write \\0 in double quotes, or remove it")
        try:
            text = document.encode()
        except UnicodeEncodeError as error:
            raise ManifestError(f"not Unicode text: {error}") from error
        if not _is_block_mapping(document) or _is_ended(document) or _has_long_number(document, text):
            return self._exact.read(document)
        content, problem = _call(text)
        if content == b"{}" or any(reason in problem for reason in _BEYOND):
            return self._exact.read(document)
        if not problem:
            return self._parsed(content, document)
        reason = _REASON.search(problem)
        message = _LINE.sub(r"line \1 of the document: ", " ".join((reason[1] if reason else problem).split()))
        raise ManifestError(f"not YAML: {message}", fix=syntax_hints.fix_for(document))

    def examine(self, document: str) -> YamlDocument:
        return YamlDocument(value=self.read(document), repeated_keys=repeated_keys(document))

    def _parsed(self, content: bytes, document: str) -> Any:
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:  # nesting beyond its limit
            return self._exact.read(document)


def _is_block_mapping(document: str) -> bool:
    start = 0
    while idle := _IDLE_LINE.match(document, start):
        start = idle.end()
    return bool(_BLOCK_MAPPING.match(document, start))


def _is_ended(document: str) -> bool:
    marks = _MAY_BE_ENDED if document.isascii() else _MAY_BE_ENDED + _MAY_BE_ENDED_TOO
    return any(mark in document for mark in marks) and bool(_ENDED.search(document))


def _has_long_number(document: str, text: bytes) -> bool:
    if _LONG in text.translate(_DIGITS):
        return True
    return ("0x" in document or "0X" in document) and bool(_LONG_HEX.search(document))


def _call(text: bytes) -> tuple[bytes, str]:
    """The JSON of a document, or its error. Bytes in and out: the library's wrapper would decode them."""
    result, problem = ctypes.c_void_p(), ctypes.c_void_p()
    failed = _library().helm_values_from_yaml(text, ctypes.byref(result), ctypes.byref(problem))
    content, message = _taken(result), _taken(problem)
    return content, (message.decode(errors="replace") or "unreadable") if failed else ""


def _taken(pointer: ctypes.c_void_p) -> bytes:
    """Copy a string of the library, and free it."""
    if not pointer.value:
        return b""
    try:
        return ctypes.string_at(pointer.value)
    finally:
        _library().helm_free_string(pointer)


@functools.cache
def _library() -> ctypes.CDLL:
    """Helm's library, loaded for the first document that needs it."""
    from helm_python import _native  # noqa: PLC0415 - 85 MB, and most documents do not need it

    library: ctypes.CDLL = _native.lib
    return library
