"""The header of an object, read and replaced without the rest: a CRD has 2 MB, its metadata 2 KB."""

from __future__ import annotations

import json
import re
from typing import Any

_METADATA = re.compile(rb"^metadata:(?: \{\})?\n(?:(?: .*)?\n)*+", re.MULTILINE)
"""In text of the `emitter`: only a key of the object begins in the first column, but for ``-``, ``?`` and ``:``. What
belongs to the key is indented; empty lines are in literal blocks."""

_FIRST_KEYS = (re.compile(rb"^apiVersion: .*\n", re.MULTILINE), re.compile(rb"^kind: .*\n", re.MULTILINE))
_DECODER = json.JSONDecoder()


def of(content: bytes) -> dict[str, Any]:
    """``apiVersion``, ``kind``, ``metadata`` and the keys before it, from an object with metadata as JSON whose keys are sorted."""
    text, at = content.decode(), 0
    header: dict[str, Any] = {}
    while "metadata" not in header:
        key, at = _DECODER.raw_decode(text, at + 1)
        header[key], at = _DECODER.raw_decode(text, at + 1)
    return header


def cut_out(text: bytes) -> bytes:
    """``apiVersion``, ``kind`` and ``metadata`` of an object, as the `emitter` writes it, as a document of their own.

    Of text that is written otherwise, such as a file that was edited by hand, the whole.
    """
    keys = [match[0] for pattern in (*_FIRST_KEYS, _METADATA) if (match := pattern.search(text))]
    return b"".join(keys) if len(keys) > len(_FIRST_KEYS) else text


def replaced(text: bytes, metadata: bytes) -> bytes:
    """``text``, an object as the `emitter` writes it, with ``metadata``, the text of another ``metadata:``, instead of its own."""
    return _METADATA.sub(lambda _: metadata, text, count=1)
