"""What a proof says, in words: whose Pods, what they want too much of, and on how many nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cluster_forge.checks.fit import reasons
from cluster_forge.checks.fit.bounds import Bounds, Kind, Shortage
from cluster_forge.checks.fit.nodes import PODS
from cluster_forge.checks.fit.placement import Item
from cluster_forge.foundation import names
from cluster_forge.foundation.names import counted
from cluster_forge.manifests import pod_requests

_NAMED: Final = 5
_LARGEST: Final = 3
DAEMON_SETS: Final = "DaemonSets"


def of(shortage: Shortage, bounds: Bounds, beside: str = DAEMON_SETS) -> str:
    """The whole sentence; that about one workload does not name it. ``beside`` is what takes room on the nodes, too."""
    reason = reasons.of_shortage(shortage, bounds)
    match shortage.kind:
        case Kind.CROWDED:
            nodes = f"{counted(shortage.nodes, 'node')} of {shortage.requested} that it runs on"
            return f"{nodes} cannot hold all their DaemonSets: {reason}"
        case Kind.NO_NODE:
            return f"no node takes its Pod: {reason}"
        case Kind.APART:
            return f"at most {shortage.available} of its {shortage.requested} Pods can run at once: {reason}"
    return f"{_workloads(shortage)} {_too_much(shortage, beside)}"


def missing(shortage: Shortage) -> str:
    """How much more it would take, to follow the sentence; empty where that is in the reason."""
    lacking = shortage.requested - shortage.available
    if shortage.kind in (Kind.NO_NODE, Kind.CROWDED):
        return ""
    if shortage.kind is Kind.SUM and shortage.resource != PODS:
        return f"; missing: {_amount(shortage.resource, lacking)}"
    return f"; missing: room for {counted(lacking, 'Pod')}"


def listed(missing: Sequence[tuple[Item, int]]) -> str:
    """Pods without a node, by their workloads: ``3 Pods of Deployment.apps/shop/web``."""
    return f"{counted(sum(count for _, count in missing), 'Pod')} of {_names([item for item, _ in missing])}"


def _workloads(shortage: Shortage) -> str:
    """Whose Pods it is about: the names of a few, of many those that ask for most of it."""
    if len(shortage.items) <= _NAMED:
        return f"the Pods of {_names(shortage.items)}"

    def amount(item: Item) -> int:
        requests = dict(item.demand.pod.requests)
        return item.demand.count * (requests.get(shortage.resource, 0) if requests else 1)

    largest = sorted(shortage.items, key=lambda item: (-amount(item), item.number))[:_LARGEST]
    return f"the Pods of {len(shortage.items)} workloads (most for {', '.join(_names([item]) for item in largest)})"


def _too_much(shortage: Shortage, beside: str) -> str:
    is_one = shortage.nodes == 1
    nodes, have = ("node", "has") if is_one else (f"{shortage.nodes} nodes", "have")
    if shortage.kind is Kind.PIECES:
        held = f"the {nodes} that may run them can hold {shortage.available}"
        return f"are {shortage.requested}, and {held}: what is left on each is too small for one more"
    if shortage.resource == PODS:
        held = f"the {nodes} that may run them can take {shortage.available}"
        return f"are {shortage.requested}, and {held} beside {beside}"
    requested = _amount(shortage.resource, shortage.requested)
    available = pod_requests.text(shortage.resource, shortage.available)
    return f"request {requested}, and the {nodes} that may run them {have} {available} left beside {beside}"


def _amount(resource: str, number: int) -> str:
    text = pod_requests.text(resource, number)
    if resource == pod_requests.CPU:
        return f"{text} {'core' if text == '1' else 'cores'} of CPU"
    return f"{text} of {resource}"


def _names(items: Sequence[Item]) -> str:
    return names.listed([str(item.demand.manifest.id) for item in items], _NAMED)
