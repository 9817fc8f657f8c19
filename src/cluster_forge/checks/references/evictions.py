"""A budget lets at least one Pod be evicted: otherwise no node with such a Pod can be drained.

Sources: Kubernetes, "Specifying a Disruption Budget for your Application"; "API-initiated eviction" (a Pod with two budgets is
never evicted); ``getExpectedPodCount`` of the disruption controller (Pods without a controller).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.collisions import scaling
from cluster_forge.checks.inventory import spec_of
from cluster_forge.checks.workloads import Workload
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "blocked-eviction"
_SCALED: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})


def findings(checked: CheckedStack) -> Iterator[Finding]:
    least = _least_replicas(checked)
    protected: dict[tuple[str, str, str], Manifest] = {}
    for budget in checked.of_kind["policy", "PodDisruptionBudget"]:
        selected = _selected(budget, checked)
        if reason := _reason(budget, selected, least) if selected else "":
            yield _finding(budget, reason, "allow one more Pod to be away, or run one more")
        for workload in selected:
            key = (workload.manifest.id.kind, workload.namespace, workload.manifest.id.name)
            first = protected.setdefault(key, budget)
            if first is not budget:
                reason = f"{workload.manifest.id} has {first.id} already: no Pod with two budgets is ever evicted"
                yield _finding(budget, reason, "leave one of the two out")


def _selected(budget: Manifest, checked: CheckedStack) -> Sequence[Workload]:
    """The workloads whose Pods a budget protects: an empty selector selects all of its namespace, a missing one none (policy/v1)."""
    selector = spec_of(budget).get("selector")
    if not isinstance(selector, Mapping):
        return []
    return checked.selected_in(budget.id.namespace, selector)


def _finding(budget: Manifest, reason: str, fix: str) -> Finding:
    return report.warning(budget, CODE, f"{reason}: the nodes of these Pods cannot be drained", fix=fix, field="spec")


def _reason(budget: Manifest, selected: Sequence[Workload], least: dict[scaling.Target, int]) -> str:
    """Why no Pod may be evicted; empty if one may, or if it cannot be known."""
    spec = spec_of(budget)
    if all(map(_is_bare, selected)) and not isinstance(spec.get("minAvailable"), int):
        return "its Pods have no controller, so only a number as minAvailable counts them"
    most = spec.get("maxUnavailable")
    if most in (0, "0", "0%"):
        return f"maxUnavailable is {most}"
    needed = spec.get("minAvailable")
    if needed == "100%":
        return "minAvailable is 100%"
    counts = [_replicas(one, least) for one in selected]
    total = sum(count for count in counts if count is not None)
    if isinstance(needed, int) and None not in counts and 0 < total <= needed:
        return f"minAvailable is {needed} of {counted(total, 'Pod')}"
    return ""


def _replicas(workload: Workload, least: dict[scaling.Target, int]) -> int | None:
    """How many Pods there are at least; None where that cannot be known."""
    identity = workload.manifest.id
    if _is_bare(workload):
        return 1
    if identity.kind not in _SCALED:
        return None
    scaled = least.get((identity.group, identity.kind, identity.namespace, identity.name))
    replicas = spec_of(workload.manifest).get("replicas", 1)
    return scaled if scaled is not None else replicas if isinstance(replicas, int) else None


def _is_bare(workload: Workload) -> bool:
    """Whether it is a Pod without a controller that runs on. Of these a budget counts none, unless it says how many must be
    there (``minAvailable`` as a number).
    """
    is_pod = workload.manifest.id.kind == "Pod" and workload.is_lasting
    return is_pod and workload.pod.get("restartPolicy") in (None, "Always")


def _least_replicas(checked: CheckedStack) -> dict[scaling.Target, int]:
    """The least number of Pods of each workload that an autoscaler scales: it may have fewer than a budget needs at any time."""
    least: dict[scaling.Target, int] = {}
    for group, kind in scaling.AUTOSCALERS:
        for autoscaler in checked.of_kind[group, kind]:
            spec = spec_of(autoscaler)
            number = spec.get("minReplicas", spec.get("minReplicaCount", 1))
            if (target := scaling.target_of(autoscaler)) and isinstance(number, int):
                least[target] = number
    return least
