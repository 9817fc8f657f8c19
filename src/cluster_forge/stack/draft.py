"""A description whose errors are not all known yet, for checks whose errors are reported together with all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack.model import Stack
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """``stack`` lacks the components that have errors, and has the defaults of sections that do; ``components`` are all selected
    ones as they are written, by name. ``description`` is the whole, its layers merged.
    """

    stack: Stack
    description: Positioned
    components: Mapping[str, Positioned]


Check = Callable[[Draft], Iterable[ForgeError]]
"""Gives more errors of a description."""
