"""Which description is read, and which part of its stack is selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DESCRIPTION: Final = "input/config.yaml"
"""The description's path in the workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Selected names, files of names (``select``), excluded names, and the environment. Empty: the whole stack."""

    names: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    environment: str | None = None
