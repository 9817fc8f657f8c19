"""What became of each component of a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName


class State(StrEnum):
    """How far a component has come."""

    UNCHANGED = "unchanged"
    """It was deployed before, and is in the cluster as it was deployed."""
    CHECKED = "checked"
    """A dry run: the API server accepts it."""
    APPLIED = "applied"
    """All of it is in the cluster; whether it is ready was not asked for."""
    READY = "ready"
    FAILED = "failed"
    BLOCKED = "blocked"
    """Something that it needs has failed: none of it was applied."""

    @property
    def is_good(self) -> bool:
        return self not in (State.FAILED, State.BLOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentResult:
    """One component after a deployment.

    ``changed`` are the objects that were created or changed, of ``objects`` in all. ``message`` says why it is not good;
    ``error`` is what it failed with, None otherwise.
    """

    name: ComponentName
    version: str
    state: State
    seconds: float = 0.0
    objects: int = 0
    changed: int = 0
    message: str = ""
    error: ForgeError | None = None
