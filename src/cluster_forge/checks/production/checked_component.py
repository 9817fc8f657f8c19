"""A component's objects, indexed for the checks that look at several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from cluster_forge.checks.collisions import scaling
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.label_selector import labels_of, matches
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.stack.model import Size

_REPLICATED: Final = frozenset({"Deployment", "StatefulSet"})

Selector = tuple[str, Mapping[str, Any]]
"""A namespace, and the LabelSelector of pods in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedComponent:
    """What a component's objects say about its workloads; ``level`` is its Pod Security level."""

    size: Size
    level: str
    services: Sequence[Selector]
    budgets: Sequence[Selector]
    autoscaled: frozenset[scaling.Target]

    @classmethod
    def of(cls, manifests: Sequence[Manifest], *, size: Size, level: str) -> Self:
        bodies = [manifest.body for manifest in manifests]
        services = [
            (_namespace(body), {"matchLabels": selector})
            for body in bodies
            if body.get("kind") == "Service" and (selector := mapping(mapping(body.get("spec")).get("selector")))
        ]
        budgets = [
            (_namespace(body), mapping(spec["selector"]))
            for body in bodies
            if body.get("kind") == "PodDisruptionBudget"
            and isinstance((spec := mapping(body.get("spec"))).get("selector"), dict)
        ]
        autoscalers = (one for one in manifests if (one.id.group, one.id.kind) in scaling.AUTOSCALERS)
        autoscaled = frozenset(target for one in autoscalers if (target := scaling.target_of(one)))
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
        group, _, _ = str(body.get("apiVersion")).rpartition("/")
        return (group, body.get("kind"), _namespace(body), body["metadata"].get("name")) in self.autoscaled

    def has_budget(self, body: Body) -> bool:
        return _selects(self.budgets, body)


def replicas_of(body: Body) -> int:
    """The replicas of a workload; Kubernetes' default is one."""
    count = mapping(body.get("spec")).get("replicas")
    return count if isinstance(count, int) else 1


def _selects(selectors: Sequence[Selector], body: Body) -> bool:
    labels = labels_of(mapping(mapping(body.get("spec")).get("template")).get("metadata"))
    namespace = _namespace(body)
    return any(where == namespace and matches(selector, labels) for where, selector in selectors)


def _namespace(body: Mapping[str, Any]) -> str:
    return str(body["metadata"].get("namespace", ""))
