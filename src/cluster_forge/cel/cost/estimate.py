"""The result of an estimate for one part of an expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cluster_forge.cel.cost.declared import UNKNOWN_SIZE, Declared, Size

Path = tuple[str, ...]
"""Where a value comes from: a variable, then names of fields, ``@items``, ``@keys`` or ``@values``; empty if it is computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The most that a part costs, and what is known of its value: ``size`` is None where nothing limits it; ``entry_size`` is
    that of the entries of a list that the expression itself makes; ``literal`` is the value of a literal.
    """

    cost: int
    type: Declared
    size: Size | None = None
    path: Path = ()
    entry_size: Size | None = None
    literal: Any = None

    @property
    def known_size(self) -> Size:
        return self.size or UNKNOWN_SIZE
