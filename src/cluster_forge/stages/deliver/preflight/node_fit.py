"""The Pods of the stack fit on the nodes of the cluster, beside what runs there already.

They are placed as `check fit` places them on the nodes of a description. An error is only what is proven, whatever programs of
the stack may still change about nodes; where nodes are added as Pods need them, nothing is. Pods of others stay where they are:
one that a Pod of the stack would evict has its room, but no proof counts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from cluster_forge.checks.fit import proofs, reasons, statements
from cluster_forge.checks.fit.bounds import Bounds, Kind, Shortage
from cluster_forge.checks.fit.demand import Demand, Stay
from cluster_forge.checks.fit.live_nodes import LiveNodes
from cluster_forge.checks.fit.pod_class import PodClass
from cluster_forge.checks.fit.search import Verdict
from cluster_forge.checks.fit.stack_fit import StackFit
from cluster_forge.foundation.errors import RefusedError
from cluster_forge.foundation.names import counted, listed
from cluster_forge.manifests.finding import Severity
from cluster_forge.stages.deliver.preflight import node_changes
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "the nodes and their Pods"
IS_NEEDED: Final = False
CODES: Final[Mapping[str, str]] = {
    "does-not-fit": "The Pods of the stack do not fit on the nodes beside what runs there.",
}
CODE: Final = "does-not-fit"
_BESIDE: Final = "DaemonSets and the Pods of others"
_MORE: Final = "add nodes, lower the replicas or the requests, or choose a smaller `target.size`"
_UNPROVEN: Final = (
    "programs of the stack may bring what is missing to the nodes (device plug-ins, labels); if they do not, change the nodes or "
    "what the Pods ask for"
)
_OF_ONE: Final = frozenset({Kind.NO_NODE, Kind.APART, Kind.CROWDED})
_NAMED: Final = 5
Proof = tuple[Shortage, Bounds]


def problems(situation: Situation) -> Iterator[Problem]:
    demands = _demands(situation)
    if not demands:
        return
    pods: dict[str, list[PodClass]] = {}
    try:
        for pod in situation.pods:
            if pod.is_lasting:
                pods.setdefault(pod.node, []).append(pod.pod_class)
    except RefusedError as error:  # without them a proof is still one
        yield Problem.unseen("the Pods on the nodes", error)
    if not situation.nodes:
        yield _of_cluster(situation, "the cluster has no node", *_judged(node_changes.autoscaler(situation), _MORE))
        return
    terms = frozenset(term for demand in demands for term in demand.pod.terms)
    nodes = LiveNodes(nodes=situation.nodes, pods=pods, terms=terms)
    yield from _of_fit(situation, nodes, StackFit(groups=nodes.groups, demands=tuple(demands)))


def _demands(situation: Situation) -> list[Demand]:
    """What the stack asks for; host ports of DaemonSets are the matter of another check."""
    return [
        replace(demand, pod=replace(demand.pod, ports=())) if demand.stay is Stay.EACH_NODE else demand
        for demand in situation.demands
    ]


def _of_fit(situation: Situation, nodes: LiveNodes, fit: StackFit) -> Iterator[Problem]:
    verdict = fit.result.verdict
    if verdict is Verdict.FITS and not fit.passing:
        return
    adding = node_changes.autoscaler(situation)
    requested = {name for demand in fit.demands for name, _ in demand.pod.requests}
    proven = list(proofs.shortages(nodes, fit.demands, node_changes.brought(situation, nodes.groups, requested)))
    severity, fix = _judged(adding, "")
    for proofs_alike in _alike(proven):
        yield _problem(situation, proofs_alike, severity, fix)
    named = {_about(shortage) for shortage, _ in proven}
    unproven = [shortage for shortage in fit.result.shortages if not proven or shortage.kind in _OF_ONE]
    open_ = [(shortage, fit.result.bounds) for shortage in unproven if _about(shortage) not in named]
    for proofs_alike in _alike(open_):
        yield _problem(situation, proofs_alike, Severity.WARNING, fix or _UNPROVEN)
    if not proven and not open_:
        yield from _undecided(situation, fit, _waiting_for(adding) if adding else _MORE)


def _about(shortage: Shortage) -> tuple[Kind, str]:
    return shortage.kind, str(shortage.items[0].demand.manifest.id)


def _undecided(situation: Situation, fit: StackFit, fix: str) -> Iterator[Problem]:
    """There is neither a placement as the scheduler makes it nor a proof."""
    result, nodes = fit.result, counted(len(fit.groups), "node")
    if result.verdict is Verdict.TIGHT:
        message = f"the Pods fit on {nodes} only if they are packed in an order that the scheduler, which moves no Pod, may not find"
        yield _of_cluster(situation, message, Severity.WARNING, fix)
    elif not result.is_placed:
        missing = [(result.placement.items[number], pods) for number, pods in result.placement.missing.items()]
        message = (
            f"no placement on {nodes} was found, and no proof that there is none: no node for {statements.listed(missing)} "
            f"({reasons.of(missing[0][0], result.placement.board)})"
        )
        yield _of_cluster(situation, message, Severity.WARNING, fix)
    for waiting in fit.passing if result.is_placed else ():
        yield Problem(
            code=CODE,
            message=f"{counted(waiting.pods, 'Pod')} of it must wait until others end: "
            f"{reasons.of(waiting.item, result.placement.board)}",
            where=str(waiting.item.demand.manifest.id),
            fix=fix,
            severity=Severity.WARNING,
        )


def _alike(proven: Iterable[Proof]) -> Iterator[Sequence[Proof]]:
    """The proofs, those of single workloads with the same reason together."""
    by_reason: dict[str, list[Proof]] = {}
    for number, (shortage, bounds) in enumerate(proven):
        is_alone = shortage.kind is Kind.NO_NODE
        reason = statements.of(shortage, bounds) if is_alone else str(number)
        by_reason.setdefault(reason, []).append((shortage, bounds))
    yield from by_reason.values()


def _problem(situation: Situation, proven: Sequence[Proof], severity: Severity, fix: str) -> Problem:
    shortage, bounds = proven[0]
    item = shortage.items[0]
    message = statements.of(shortage, bounds, _BESIDE) + statements.missing(shortage)
    if len(proven) > 1:
        message += f" (also: {listed([str(other.items[0].demand.manifest.id) for other, _ in proven[1:]], _NAMED)})"
    problem = _of_cluster(situation, message, severity, fix or _fix(shortage))
    return replace(problem, where=str(item.demand.manifest.id)) if shortage.kind in _OF_ONE else problem


def _of_cluster(situation: Situation, message: str, severity: Severity, fix: str) -> Problem:
    where = str(situation.cluster.about())
    return Problem(code=CODE, message=message, where=where, fix=fix, severity=severity, option=f"--allow {CODE}")


def _fix(shortage: Shortage) -> str:
    match shortage.kind:
        case Kind.NO_NODE if not shortage.items[0].task.nodes:
            return "change its node selector or tolerations, or the nodes (`kubectl label node`, `kubectl taint node`, `kubectl uncordon`)"
        case Kind.NO_NODE:
            return "add a node that is large enough, or lower the requests"
        case Kind.APART:
            return "lower its replicas, or add nodes"
        case Kind.CROWDED:
            return "lower the requests of DaemonSets, or move Pods of others to other nodes"
    return _MORE


def _judged(adding: str, fix: str) -> tuple[Severity, str]:
    """How bad a proof is, and what mends it, where ``adding`` adds nodes, or nothing does."""
    return (Severity.WARNING, _waiting_for(adding)) if adding else (Severity.ERROR, fix)


def _waiting_for(adding: str) -> str:
    return f"{adding} may add nodes; if it does not, {_MORE}"
