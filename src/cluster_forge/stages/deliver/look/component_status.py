"""How a component of a stack is in a cluster, in the words of Argo CD ("Resource Health", "Sync Status")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests.health import Status

MOST: Final = 3
"""Messages of one kind; the rest is counted."""


class Sync(StrEnum):
    """Whether the cluster has what the stack has."""

    SYNCED = "Synced"
    OUT_OF_SYNC = "OutOfSync"


class Condition(StrEnum):
    """How well the objects are, the best first."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    UNKNOWN = "Unknown"
    MISSING = "Missing"
    DEGRADED = "Degraded"

    @classmethod
    def of(cls, status: Status) -> Condition:
        return {Status.READY: cls.HEALTHY, Status.IN_PROGRESS: cls.PROGRESSING}.get(status, cls.DEGRADED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentStatus:
    """One component: its version in the stack and in the cluster (``deployed``, empty if it is not known), and why it is not
    synced or healthy (``messages``).
    """

    name: ComponentName
    version: str
    deployed: str
    sync: Sync
    condition: Condition
    messages: tuple[str, ...] = ()

    @property
    def is_healthy(self) -> bool:
        return self.condition is Condition.HEALTHY


def worst(conditions: Iterable[Condition]) -> Condition:
    """The worst of them; of none: healthy."""
    order = list(Condition)
    return max(conditions, key=order.index, default=Condition.HEALTHY)


def few(messages: Sequence[str], noun: str) -> Iterator[str]:
    """The first messages, and how many more there are."""
    yield from messages[:MOST]
    if len(messages) > MOST:
        yield f"… and {counted(len(messages) - MOST, noun)} more"
