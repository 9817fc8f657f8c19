"""Whether a stack fits, as plain data: what `check fit` prints, and its JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cluster_forge.checks.fit import reasons, volumes
from cluster_forge.checks.fit.bounds import Bounds, Shortage
from cluster_forge.checks.fit.demand import Demand, Stay
from cluster_forge.checks.fit.placement import Item, Placement
from cluster_forge.checks.fit.scenarios import NodeDown, Waiting
from cluster_forge.checks.fit.stack_fit import StackFit
from cluster_forge.manifests import pod_requests

View = dict[str, Any]
_EXPLAINED: Final = 50


def page(fit: StackFit) -> View:
    """Everything about a stack with nodes; ``verdict`` is None if the nodes do not say how large they are.

    ``isCut``: the search ended at its limit, so that a placement may exist that was not found.
    """
    view: View = {
        "verdict": None,
        "isCut": False,
        "undecided": list(fit.undecided),
        "nodes": [
            {"where": group.title, "count": group.count, "capacity": _amounts(group.capacity), "least": None}
            for group in fit.groups
        ],
        "shortages": [],
        "missing": [],
        "displaced": [
            {"object": str(later.manifest.id), "by": str(earlier.manifest.id)} for later, earlier in fit.displaced
        ],
        "nodeDown": [],
        "update": None,
        "jobs": [],
        "peak": None,
        "footprint": footprint(fit),
        "volumes": [
            {"class": one.storage_class, "claims": one.claims, "storage": pod_requests.text("storage", one.size)}
            for one in volumes.claimed(fit.claims, fit.demands)
        ],
        "placement": [],
    }
    return view if fit.undecided or not fit.groups else view | _decided(fit)


def _decided(fit: StackFit) -> View:
    result = fit.result
    names = result.placement.board.compiler.nodes.names
    nodes = [
        {"where": group.title, "count": group.count, "capacity": _amounts(group.capacity), "least": least}
        for group, least in zip(fit.groups, fit.least, strict=True)
    ]
    view: View = {
        "verdict": str(result.verdict),
        "isCut": result.is_cut,
        "nodes": nodes,
        "shortages": [_shortage(shortage, result.bounds) for shortage in result.shortages],
        "missing": _missing(result.placement),
        "placement": placement(result.placement),
    }
    if result.is_placed:
        update, peak = fit.update, fit.peak
        view |= {
            "nodeDown": [_node_down(down, names) for down in fit.nodes_down],
            "update": {
                "pods": update.pods,
                "waiting": _waiting(update.waiting),
                "stuck": [str(item.demand.manifest.id) for item in update.stuck],
            },
            "jobs": _waiting(fit.passing),
            "peak": peak and {"verdict": str(peak.verdict), "pods": sum(demand.count for demand in fit.scaled)},
        }
    return view


def footprint(fit: StackFit) -> list[View]:
    """For each component what its Pods request together; those of DaemonSets on each node apart, Jobs left out."""
    components: dict[str, list[Demand]] = {}
    for demand in fit.demands:
        if demand.stay is not Stay.TEMPORARY:
            components.setdefault(demand.manifest.provenance.component, []).append(demand)
    return [
        {
            "component": component,
            "pods": sum(demand.count for demand in demands if demand.stay is Stay.REPLICAS),
            "requests": _sum(demand for demand in demands if demand.stay is Stay.REPLICAS),
            "onEachNode": _sum(demand for demand in demands if demand.stay is Stay.EACH_NODE),
        }
        for component, demands in sorted(components.items())
    ]


def placement(placed: Placement) -> list[View]:
    """The nodes with their Pods: how many of which object, and what is left."""
    board = placed.board
    resources = board.compiler.resources
    pods: dict[int, dict[str, int]] = {}
    for item in placed.items:
        name = str(item.demand.manifest.id)
        for node in placed.on[item.number]:
            on_node = pods.setdefault(node, {})
            on_node[name] = on_node.get(name, 0) + 1
    unlimited = [board.compiler.nodes.groups[group].unlimited for group in board.compiler.nodes.group_of]
    return [
        {
            "node": board.compiler.nodes.names[node],
            "free": {
                name: pod_requests.text(name, amount)
                for name, amount in zip(resources, free, strict=True)
                if name not in unlimited[node] and board.capacity[node][resources.index(name)]
            },
            "pods": [{"object": name, "count": count} for name, count in sorted(pods.get(node, {}).items())],
        }
        for node, free in enumerate(board.free)
    ]


def _missing(placed: Placement) -> list[View]:
    """Why for the first ones only: each looks at all nodes."""
    missing = [(placed.items[number], pods) for number, pods in placed.missing.items()]
    return [
        {**_pods(item, pods), "reason": reasons.of(item, placed.board) if number < _EXPLAINED else ""}
        for number, (item, pods) in enumerate(missing)
    ]


def _shortage(shortage: Shortage, bounds: Bounds) -> View:
    name = shortage.resource
    is_amount = bool(name) and name != "pods"
    return {
        "kind": str(shortage.kind),
        "objects": [str(item.demand.manifest.id) for item in shortage.items],
        "nodes": shortage.nodes,
        "resource": name,
        "reason": reasons.of_shortage(shortage, bounds),
        "requested": pod_requests.text(name, shortage.requested) if is_amount else str(shortage.requested),
        "available": pod_requests.text(name, shortage.available) if is_amount else str(shortage.available),
    }


def _node_down(down: NodeDown, names: Sequence[str]) -> View:
    return {"node": names[down.node], "pods": down.pods, "waiting": _waiting(down.waiting)}


def _waiting(waiting: Iterable[Waiting]) -> list[View]:
    return [{**_pods(one.item, one.pods), "lacksRoom": one.lacks_room} for one in waiting]


def _pods(item: Item, pods: int) -> View:
    return {"object": str(item.demand.manifest.id), "pods": pods}


def _sum(demands: Iterable[Demand]) -> View:
    total: dict[str, int] = {}
    for demand in demands:
        for name, amount in demand.pod.requests:
            total[name] = total.get(name, 0) + amount * demand.count
    return _amounts(total)


def _amounts(amounts: Mapping[str, int]) -> View:
    return {name: pod_requests.text(name, amount) for name, amount in sorted(amounts.items())}
