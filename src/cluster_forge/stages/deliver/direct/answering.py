"""Which components answer custom resources: whose controllers write their status.

The catalog says it for the kinds that it knows (`ReadinessRule`), also where others install them. Of the other kinds the component
that defines them does, if it has a controller.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import schedule
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.health import AWAITED
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.deliver.tools import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Who answers the custom resources of a plan. ``operators`` are the components by the API groups of the CRDs that come
    with them, ``names`` all components of the stack, ``after`` those that are ready before each one starts.
    """

    rules: Callable[[], Rules]
    operators: Mapping[str, frozenset[ComponentName]] = field(default_factory=dict)
    names: Collection[ComponentName] = frozenset()
    after: Mapping[ComponentName, frozenset[ComponentName]] = field(default_factory=dict)

    def awaited(self, targets: Sequence[ObjectId]) -> list[ObjectId]:
        """Those that some component of the stack answers."""
        return [target for target in targets if self._here(target)]

    def gating(self, name: ComponentName, targets: Sequence[ObjectId]) -> list[ObjectId]:
        """Those of the component ``name`` that what needs it waits for: who answers them is there by then. What a later
        component answers cannot be waited for, as that one may need this one.
        """
        before = self.after.get(name, frozenset()) | {name}
        return [target for target in targets if self._here(target) & before]

    def unanswered(self, targets: Sequence[ObjectId]) -> list[ObjectId]:
        """Those for which the catalog knows a component, none of which is in the stack."""
        return [target for target in targets if not self._here(target) and self._known(target)]

    def by(self, target: ObjectId) -> str:
        """Who answers an object, in words: ``cert-manager``, ``envoy-gateway or kgateway``."""
        return " or ".join(sorted(self._here(target)) or self._known(target))

    def _here(self, target: ObjectId) -> frozenset[ComponentName]:
        known = frozenset(name for name in self.names if name in self._known(target))
        return known or self.operators.get(target.group, frozenset())

    def _known(self, target: ObjectId) -> Sequence[str]:
        rule = self.rules().get((target.group, target.kind))
        return rule.answered_by if rule else ()


def of(
    plan: DeployPlan, rules: Callable[[], Rules], after: Mapping[ComponentName, frozenset[ComponentName]]
) -> Answering:
    """Those of a plan; none where an engine applies the custom resources. ``after``: `schedule.prerequisites`."""
    if plan.delivery is not Delivery.DIRECT:
        return Answering(rules=dict)
    return Answering(
        rules=rules,
        operators=_operators(plan),
        names=frozenset(part.name for part in plan.parts),
        after=schedule.with_indirect(after),
    )


def _operators(plan: DeployPlan) -> Mapping[str, frozenset[ComponentName]]:
    operators: dict[str, frozenset[ComponentName]] = {}
    for part in plan.parts:
        if any(item.kind in AWAITED for item in part.objects):
            for group in {item.id.name.partition(".")[2] for item in part.objects if item.kind == CRD}:
                operators[group] = operators.get(group, frozenset()) | {part.name}
    return operators
