"""Types of the keys of a node: sizes and taints that a node can have."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StrictStr

from cluster_forge.foundation import quantity
from cluster_forge.stack.schema.key_types import Quantity, UnfitError

_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_TAINT: Final = re.compile(r"[^\s=:]+(=[^\s=:]*)?(:[A-Za-z]+)?")
_MOST_CORES: Final = 100_000
"""More than any machine has: it was meant as something else."""
_LEAST_BYTES: Final = 1 << 20
_MOST_DIGITS: Final = 18
"""Bytes of a node have fewer: more than an exabyte is a mistake."""


def _cores(text: str) -> str:
    if not text:
        return text
    if text[-1] == "i" or not 0 < quantity.parse(text) <= _MOST_CORES:
        raise UnfitError(f"{text!r} is not the CPU of a node", 'write its cores: cpu: "16", or 500m for a half')
    return text


def _bytes(what: str, example: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not text:
            return text
        size = quantity.parse(text)
        if size <= 0 or size.adjusted() > _MOST_DIGITS:
            raise UnfitError(f"{text!r} is not the {what} of a node", f"write an amount with its unit: {example}")
        if size < _LEAST_BYTES:
            unit = f": {text}Gi is so many gibibytes" if text.isdecimal() else ""
            raise UnfitError(
                f"{text!r} as the {what} of a node is less than a mebibyte: without a unit it counts bytes",
                f"write the unit{unit or f', such as {example}'}",
            )
        return text

    return check


def _resources(resources: dict[str, str]) -> dict[str, str]:
    for name, amount in resources.items():
        is_extended = "/" in name.strip("/")
        if not is_extended and not name.startswith("hugepages-"):
            raise UnfitError(
                f"{name!r} is not an extended resource: its name has a domain, as in amd.com/gpu",
                "write `cpu`, `memory`, `storage` and `pods` beside `resources`",
            )
        read = quantity.parse(amount)
        if read < 0 or read.adjusted() > _MOST_DIGITS or read != read.to_integral_value():
            raise UnfitError(f"a node cannot have {amount} of {name}", f"write a whole number: {name}: 8")
    return resources


def _taint(text: str) -> str:
    _, colon, effect = text.rpartition(":")
    if not _TAINT.fullmatch(text) or (colon and effect not in _EFFECTS):
        raise UnfitError(
            f"{text!r} is not a taint", f"write KEY=VALUE:EFFECT or KEY:EFFECT; EFFECT is one of {', '.join(_EFFECTS)}"
        )
    return text


Cores = Annotated[Quantity, AfterValidator(_cores)]
Memory = Annotated[Quantity, AfterValidator(_bytes("memory", "64Gi"))]
Storage = Annotated[Quantity, AfterValidator(_bytes("storage", "500Gi"))]
Resources = Annotated[dict[StrictStr, Quantity], AfterValidator(_resources)]
Taint = Annotated[
    StrictStr,
    AfterValidator(_taint),
    Field(json_schema_extra={"pattern": "^[^\\s=:]+(=[^\\s=:]*)?(:(NoSchedule|PreferNoSchedule|NoExecute))?$"}),
]


def amounts(resources: dict[str, str]) -> dict[str, int]:
    """The resources of a node as numbers, which `Resources` has validated."""
    return {name: int(quantity.parse(amount)) for name, amount in resources.items()}
