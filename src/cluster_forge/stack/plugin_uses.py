"""Where a description uses plug-ins and functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster_forge.foundation.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginUse:
    """A plug-in by its name, or a function by its file and digest.

    ``name`` is that of the plug-in, or made of that of the function's file: findings have it before their codes.
    ``program`` is the function's file, relative to the workspace, and empty for a plug-in. ``settings`` are those under ``with``;
    ``files`` are relative to the workspace. ``where`` is the ``file:line`` of the entry.
    """

    name: str
    program: str = ""
    digest: Digest | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    where: str = ""

    @property
    def is_function(self) -> bool:
        return bool(self.program)

    def __str__(self) -> str:
        """As messages call it."""
        return f"function {self.program}" if self.program else f"plug-in {self.name}"
