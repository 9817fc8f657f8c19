"""What became of each component of a deployment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.stages.deliver.trouble import Trouble


class State(StrEnum):
    """How far a component has come."""

    UNCHANGED = "unchanged"
    """It was deployed before, and is in the cluster as it was deployed."""
    APPLIED = "applied"
    """All of it is in the cluster; whether it is ready was not asked for."""
    READY = "ready"
    FAILED = "failed"
    BLOCKED = "blocked"
    """Something that it needs has failed: of it, only CRDs that are new to the cluster may have been applied."""

    @property
    def is_good(self) -> bool:
        return self not in (State.FAILED, State.BLOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentResult:
    """One component after a deployment.

    ``changed`` are the objects that were applied, of ``objects`` in all; what is in the cluster already is not. None: Flux,
    which applies them, does not say. ``message`` says why it is not good, or what else went wrong, ``errors`` are what it
    failed with, and ``trouble`` is what the cluster says of the first.
    """

    name: ComponentName
    version: str
    state: State
    seconds: float = 0.0
    objects: int = 0
    changed: int | None = 0
    message: str = ""
    errors: tuple[ForgeError, ...] = ()
    trouble: Trouble = field(default_factory=Trouble)


def reasons(components: Iterable[ComponentResult]) -> str:
    """Why components are not good, each reason once: ``web: …; db, cache: …``; empty if all are."""
    names: dict[str, list[str]] = {}
    for component in components:
        if not component.state.is_good:
            names.setdefault(component.message, []).append(component.name)
    return "; ".join(f"{', '.join(owners)}: {message}" for message, owners in names.items())
