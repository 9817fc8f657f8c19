"""Kubernetes quantities (apimachinery, ``resource.Quantity``): ``500m``, ``64Mi``, ``1e3``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = "KMGTPE"


def parse(text: str | float) -> Decimal:
    """The number: cores of CPU, bytes of memory.

    Raises:
        ValueError: if the text is not a quantity.
    """
    match = _QUANTITY.fullmatch(str(text))
    if not match:
        raise ValueError(f"{text!r} is not a quantity: write one such as 500m, 64Mi or 2")
    number, exponent, suffix = match.groups(default="")
    if exponent:
        return Decimal(number + exponent)
    if suffix.endswith("i"):
        return Decimal(number) * Decimal(1024) ** (_BINARY.index(suffix[0]) + 1)
    return Decimal(number).scaleb(_DECIMAL[suffix])


def cores(number: Decimal) -> str:
    """Cores as text: ``0.25``, ``3``."""
    return f"{number.normalize():f}" if number else "0"


def size(number: Decimal) -> str:
    """Bytes in binary units, rounded to at most one place: ``1.5Gi``, ``64Mi``."""
    for exponent in range(len(_BINARY), 0, -1):
        unit = Decimal(1024) ** exponent
        if number >= unit:
            return f"{(number / unit).quantize(Decimal('0.1')).normalize():f}{_BINARY[exponent - 1]}i"
    return f"{number.normalize():f}" if number else "0"
