"""Why a Pod finds no node: for each reason the number of nodes, as kube-scheduler says it in an event of the Pod."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cluster_forge.checks.fit.board import Board
from cluster_forge.checks.fit.bounds import Bounds, Kind, Shortage
from cluster_forge.checks.fit.nodes import PODS, Taint, intolerable
from cluster_forge.checks.fit.placement import Item
from cluster_forge.foundation.names import counted
from cluster_forge.manifests import pod_requests

_TITLES = {"cpu": "CPU", PODS: "room for another Pod"}


def of(item: Item, board: Board, alike: Sequence[Sequence[int]] | None = None) -> str:
    """The reasons on all nodes of a board with the Pods that are there: ``2 nodes have too little CPU left (…)``.

    ``alike`` are all nodes by group and by what is left, where that is known: one of each is looked at.
    """
    is_sorted_out = item.task.is_plain and len(item.task.nodes) in (0, len(board.free))
    kinds = alike if alike is not None and is_sorted_out else [(node,) for node in range(len(board.free))]
    by_reason: dict[str, list[int]] = {}
    for nodes in kinds:
        by_reason.setdefault(_reason(item, board, nodes[0]), []).extend(nodes)
    ordered = sorted(by_reason.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return ", ".join(f"{counted(len(nodes), 'node')} {_text(reason, nodes, item, board)}" for reason, nodes in ordered)


def of_shortage(shortage: Shortage, bounds: Bounds) -> str:
    """The reason of a shortage of one workload; empty for what several want together, where the amounts say it."""
    item = shortage.items[0]
    match shortage.kind:
        case Kind.NO_NODE:
            return of(item, bounds.board, bounds.alike)
        case Kind.APART:
            return "each needs a node (or zone) of its own"
        case Kind.CROWDED:
            names, free = bounds.compiler.resources, bounds.board.free
            asked = [resource for resource, _ in item.task.vector]
            short = {names[one] for node in bounds.crowded_nodes(item) for one in asked if free[node][one] < 0}
            return f"together they request more {' and '.join(sorted(short))} than the node has"
    return ""


def _reason(item: Item, board: Board, node: int) -> str:
    """The first filter that refuses a node, in the order of kube-scheduler's default profile."""
    group = board.compiler.nodes.groups[board.compiler.nodes.group_of[node]]
    return next(_refusals(item, board, node, intolerable(item.demand.pod.nodes, group)), "free")


def _refusals(item: Item, board: Board, node: int, taints: Sequence[Taint]) -> Iterator[str]:
    task, counters = item.task, board.counters
    if node in board.closed:
        yield "down"
    yield from (f"taint:{taint}" for taint in taints)
    if node not in task.node_set:
        yield "labels"
    if board.has_clash(task, node):
        yield "ports"
    yield from (f"resource:{resource}" for resource, amount in task.vector if board.free[node][resource] < amount)
    if not all(board.allows(rule, node) for rule in task.spreads):
        yield "spread"
    if any(counters[number].at(node) for number in (*task.repels, *task.repelled)):
        yield "repelled"
    if not board.attracts(task, node):
        yield "affinity"


def _text(reason: str, nodes: list[int], item: Item, board: Board) -> str:
    kind, _, detail = reason.partition(":")
    one = len(nodes) == 1
    match kind:
        case "resource":
            return _shortage(int(detail), nodes, item, board)
        case "taint":
            return f"{'has' if one else 'have'} the taint `{detail}`, which it does not tolerate"
        case "labels":
            return f"{'does' if one else 'do'} not have the labels that it asks for ({', '.join(_labels(item))})"
        case "ports":
            return f"{'has' if one else 'have'} its host port taken"
    texts = {
        "down": "down",
        "spread": "without a place that its topology spread allows",
        "repelled": "with Pods that a required anti-affinity keeps apart from it",
        "affinity": "without the Pods that its required affinity asks for",
        "free": "with room for it, once another Pod is elsewhere",
    }
    return f"{'is' if one else 'are'} {texts[kind]}"


def _shortage(resource: int, nodes: list[int], item: Item, board: Board) -> str:
    name = board.compiler.resources[resource]
    if name == PODS:
        return f"{'has' if len(nodes) == 1 else 'have'} as many Pods as {'it' if len(nodes) == 1 else 'they'} can"
    requested = pod_requests.text(name, dict(item.task.vector)[resource])
    most = max(board.free[node][resource] for node in nodes)
    verb = "has" if len(nodes) == 1 else "have"
    left = f"at most {pod_requests.text(name, most)}" if most > 0 else "nothing"
    return f"{verb} too little {_TITLES.get(name, name)} left ({requested} requested, {left} free)"


def _labels(item: Item) -> Iterator[str]:
    """The keys that decide on which nodes it may run."""
    demand = item.demand.pod.nodes
    requirements = list(demand.selector.requirements)
    for term in demand.terms or ():
        requirements += [*term.labels.requirements, *term.names.requirements]
    keys = dict.fromkeys(requirement.key for requirement in requirements)
    keys |= dict.fromkeys(term.key for term in item.demand.pod.attracts)
    keys |= dict.fromkeys(spread.term.key for spread in item.demand.pod.spreads)
    yield from list(keys)[:5]
