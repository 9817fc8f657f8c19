"""What a YAML scalar means to Kubernetes: the rules of Go's ``sigs.k8s.io/yaml`` (``resolve.go`` of its ``goyaml.v2``).

They are neither YAML 1.1 nor 1.2: ``y`` is true, ``0o17`` and ``017`` are 15, ``1e3`` is 1000, while ``1:30``, ``=`` and
dates stay text. Values are those of the JSON into which Kubernetes converts them: ``1.0`` is 1.
"""

from __future__ import annotations

import base64
import math
import re
from typing import Final

Scalar = str | int | float | bool | None

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_NOT_JSON: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_INTEGER: Final = re.compile(r"([-+]?)(?:0[bB]([01]+)|0[oO]?([0-7]+)|0[xX]([0-9a-fA-F]+)|([1-9][0-9]*|0))")
_BASES: Final = (2, 8, 16, 10)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DOTTED: Final = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)?")
_LARGEST_EXACT: Final = 1e21
"""From here on, Go's JSON writes a float with an exponent."""

_CORE: Final = "tag:yaml.org,2002:"


def resolve(text: str, *, plain: bool, tag: str | None = None) -> Scalar:
    """The value of a scalar; ``plain`` means that it is neither quoted nor a block, ``tag`` is an explicit one.

    Raises:
        ValueError: if the value does not fit its tag, or JSON cannot express it (infinity, NaN).
    """
    if tag is None:
        return _untagged(text) if plain else text
    kind = tag.removeprefix(_CORE)
    if kind in ("int", "float", "bool", "null"):
        return _tagged(text, kind)
    if kind == "binary" and tag.startswith(_CORE):
        return _decoded(text)
    return text


def as_key(value: Scalar) -> str:
    """A mapping's key as in the JSON into which Kubernetes converts it.

    Raises:
        ValueError: for null, which cannot be a key.
    """
    if value is None:
        raise ValueError("null cannot be a key")
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _untagged(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if _NOT_JSON.fullmatch(text):
        raise ValueError(f"{text} is not a number in JSON, and so not in Kubernetes")
    if text[0] == ".":
        return _real(text.replace("_", ""), text) if _DOTTED.fullmatch(text) else text
    plain = text.replace("_", "")
    whole = _whole(plain)
    if whole is not None:
        return whole
    return _real(plain, text) if _FLOAT.fullmatch(plain) else text


def _whole(plain: str) -> int | None:
    """An integer of 64 bits, signed or unsigned; Go reads larger ones as floats."""
    match = _INTEGER.fullmatch(plain)
    if not match:
        return None
    sign, *digits = match.groups()
    written, base = next((part, base) for part, base in zip(digits, _BASES, strict=True) if part)
    if len(written.lstrip("0")) > 64:
        return None
    number = int(sign + (written.lstrip("0") or "0"), base)
    return number if -(2**63) <= number < 2**64 else None


def _real(plain: str, text: str) -> Scalar:
    """A float as JSON writes it; Go reads a number beyond float64 as text."""
    number = float(plain)
    if math.isinf(number):
        return text
    return int(number) if number.is_integer() and abs(number) < _LARGEST_EXACT else number


def _tagged(text: str, kind: str) -> Scalar:
    value = _untagged(text)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        "int": is_number and isinstance(value, int),
        "float": is_number,
        "bool": isinstance(value, bool),
        "null": value is None,
    }[kind]
    if not fits:
        raise ValueError(f"{text!r} does not fit its tag !!{kind}")
    return value


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except ValueError as error:
        raise ValueError(f"a !!binary value must be text in base64: {error}") from error
