"""A component's objects, indexed for the checks that look at several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.stack.model import Size

_REPLICATED: Final = frozenset({"Deployment", "StatefulSet"})

Selector = tuple[str, Mapping[str, str]]
"""A namespace, and labels of pods in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedComponent:
    """What a component's objects say about its workloads; ``level`` is its Pod Security level."""

    size: Size
    level: str
    services: Sequence[Selector]
    budgets: Sequence[Selector]
    autoscaled: frozenset[str]

    @classmethod
    def of(cls, manifests: Sequence[Manifest], *, size: Size, level: str) -> Self:
        bodies = [manifest.body for manifest in manifests]
        services = [
            (_namespace(body), (body.get("spec") or {}).get("selector") or {})
            for body in bodies
            if body.get("kind") == "Service"
        ]
        budgets = [
            (_namespace(body), ((body.get("spec") or {}).get("selector") or {}).get("matchLabels") or {})
            for body in bodies
            if body.get("kind") == "PodDisruptionBudget"
        ]
        autoscaled = frozenset(
            body["spec"]["scaleTargetRef"]["name"] for body in bodies if body.get("kind") == "HorizontalPodAutoscaler"
        )
        return cls(size=size, level=level, services=services, budgets=budgets, autoscaled=autoscaled)

    def must_be_available(self, body: Body) -> bool:
        """Whether a workload serves traffic and must go on while nodes are drained: at medium and large."""
        if self.size is Size.SMALL or body.get("kind") not in _REPLICATED:
            return False
        return (replicas_of(body) > 0 or self.is_autoscaled(body)) and _selects(self.services, body)

    def is_replicated(self, body: Body) -> bool:
        """Whether a workload has two pods, or an autoscaler decides how many."""
        return replicas_of(body) > 1 or self.is_autoscaled(body)

    def is_autoscaled(self, body: Body) -> bool:
        return body["metadata"]["name"] in self.autoscaled

    def has_budget(self, body: Body) -> bool:
        return _selects(self.budgets, body)


def replicas_of(body: Body) -> int:
    """The replicas of a workload; Kubernetes' default is one."""
    count = body["spec"].get("replicas")
    return 1 if count is None else int(count)


def _selects(selectors: Sequence[Selector], body: Body) -> bool:
    labels = (body["spec"]["template"].get("metadata") or {}).get("labels") or {}
    namespace = _namespace(body)
    return any(
        wanted and where == namespace and all(labels.get(key) == value for key, value in wanted.items())
        for where, wanted in selectors
    )


def _namespace(body: Mapping[str, Any]) -> str:
    return str(body["metadata"].get("namespace", ""))
