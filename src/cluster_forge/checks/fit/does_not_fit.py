"""The stack fits on the nodes of its target: all at once, while it is updated, and with one node down.

Only what is proven is an error. What nodes get from programs or a cloud (labels, devices) may be missing in the description: that
no node has them is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.fit import reasons, statements
from cluster_forge.checks.fit.board import Board
from cluster_forge.checks.fit.bounds import Kind, Shortage
from cluster_forge.checks.fit.demand import Stay
from cluster_forge.checks.fit.placement import Item
from cluster_forge.checks.fit.scenarios import NodeDown
from cluster_forge.checks.fit.search import Verdict
from cluster_forge.checks.fit.stack_fit import StackFit
from cluster_forge.foundation.names import counted
from cluster_forge.manifests import pod_requests
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.model import Size

CODE: Final = "does-not-fit"
_NAMED: Final = 5
_CUT: Final = "; not decided: the search has a limit, and there may be one"
_LOWER: Final = "lower the requests, choose a smaller `target.size`, or add nodes to `target.nodes`"


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    """Nothing for a target without nodes, a notice for nodes that do not say how large they are."""
    if not checked.stack.target.nodes:
        return
    fit = StackFit.of(checked)
    if fit.undecided:
        yield _of_stack(
            fit,
            Severity.NOTICE,
            f"whether the stack fits cannot be decided without {', '.join(fit.undecided[:_NAMED])}",
            "write what Pods may request of one node, as `kubectl describe node` shows it under Allocatable",
        )
        return
    yield from _steady(fit)
    yield from _passing(fit)
    if fit.result.is_placed:
        yield from _updating(fit)
        yield from _losing(fit, checked.stack.target.size)


def _steady(fit: StackFit) -> Iterator[Finding]:
    result = fit.result
    match result.verdict:
        case Verdict.FITS:
            return
        case Verdict.TIGHT:
            yield _of_stack(
                fit,
                Severity.WARNING,
                f"{_count(fit)} fit on {_nodes(fit)} only if they are packed in an order that the scheduler, which moves no Pod, "
                "may not find",
                _LOWER,
            )
        case Verdict.NOT_PLACED:
            missing = [(result.placement.items[number], pods) for number, pods in result.placement.missing.items()]
            yield _of_stack(
                fit,
                Severity.WARNING,
                f"no placement of {_count(fit)} on {_nodes(fit)} was found: no node for {statements.listed(missing)} "
                f"({reasons.of(missing[0][0], result.placement.board)}){_CUT if result.is_cut else ''}",
                _enough(fit),
            )
        case Verdict.DOES_NOT_FIT:
            for shortage in result.shortages:
                yield _proven(fit, shortage)


def _proven(fit: StackFit, shortage: Shortage) -> Finding:
    item, message = shortage.items[0], statements.of(shortage, fit.result.bounds)
    match shortage.kind:
        case Kind.CROWDED:
            return _of_item(item, Severity.ERROR, message, _LOWER)
        case Kind.NO_NODE:
            severity = Severity.ERROR if _is_certain(fit, item) else Severity.WARNING
            return _of_item(item, severity, message, _mending(fit, item))
        case Kind.APART:
            return _of_item(item, Severity.ERROR, message, "lower its replicas, or add nodes to `target.nodes`")
        case _:
            return _of_stack(fit, Severity.ERROR, message, _enough(fit))


def _is_certain(fit: StackFit, item: Item) -> bool:
    """Whether what keeps a Pod away is more than labels and devices that the description may not list."""
    compiler = fit.result.bounds.compiler
    has_labels = compiler.eligible(item.demand.pod.nodes, taints=False)
    has_keys = item.task.nodes or not compiler.eligible(item.demand.pod.nodes)
    return bool(has_labels and has_keys) and not _unlisted(fit, item)


def _unlisted(fit: StackFit, item: Item) -> list[str]:
    """Devices and huge pages that the Pods request, and that no node of the description lists."""
    listed = {name for group in fit.groups for name in group.capacity}
    names = [name for name, _ in item.demand.pod.requests if name not in listed]
    return [name for name in names if "/" in name or pod_requests.is_huge_pages(name)]


def _mending(fit: StackFit, item: Item) -> str:
    if unlisted := _unlisted(fit, item):
        return f"write `resources: {{{unlisted[0]}: …}}` at the nodes that have it, or leave the workload out"
    if not item.task.nodes:
        return "write the `labels` and `taints` of the nodes as they are, or change its node selector or tolerations"
    return _LOWER


def _passing(fit: StackFit) -> Iterator[Finding]:
    """Pods that end: proven only if an empty node would not do."""
    for waiting in fit.passing:
        empty = Board(fit.result.placement.board.compiler)
        item = waiting.item
        fits_alone = any(empty.has_room(item.task, node) for node in item.task.nodes)
        if fits_alone and not fit.result.is_placed:
            continue  # what stays does not fit, which is reported
        is_certain = not fits_alone and _is_certain(fit, item)
        board = fit.result.placement.board if fits_alone else empty
        yield _of_item(
            item,
            Severity.ERROR if is_certain else Severity.WARNING,
            f"{counted(waiting.pods, 'Pod')} of it {'finds' if waiting.pods == 1 else 'find'} no node"
            f"{' beside the Pods that stay' if fits_alone else ''}: {reasons.of(item, board)}",
            _mending(fit, item),
        )


def _updating(fit: StackFit) -> Iterator[Finding]:
    for item in fit.update.stuck:
        yield _of_item(
            item,
            Severity.WARNING,
            "its rolling update cannot begin: no node takes one more Pod, and `maxUnavailable` lets none of "
            f"{item.demand.count} go before ({reasons.of(item, fit.result.placement.board)})",
            "write `maxUnavailable: 1` and `maxSurge: 0` in its `strategy.rollingUpdate`, or add a node",
        )


def _losing(fit: StackFit, size: Size) -> Iterator[Finding]:
    """A small stack does not promise to outlive a node."""
    for down in fit.nodes_down:
        if waiting := [one for one in down.waiting if one.lacks_room]:
            yield _of_stack(
                fit,
                Severity.NOTICE if size is Size.SMALL else Severity.WARNING,
                f"with one node of {_group_of(fit, down)} down there is no room for {statements.listed([(one.item, one.pods) for one in waiting])}",
                "add a node, or lower the requests",
            )


def _group_of(fit: StackFit, down: NodeDown) -> str:
    return fit.groups[fit.result.placement.board.compiler.nodes.group_of[down.node]].title


def _count(fit: StackFit) -> str:
    items = fit.result.placement.items
    pods = sum(len(item.task.nodes) if item.demand.stay is Stay.EACH_NODE else item.demand.count for item in items)
    return counted(pods, "Pod")


def _nodes(fit: StackFit) -> str:
    return counted(sum(group.count for group in fit.groups), "node")


def _enough(fit: StackFit) -> str:
    """How many nodes would do, for the first group whose number helps."""
    for group, least in zip(fit.groups, fit.least, strict=True):
        if least:
            return f"write `count: {least}` instead of {group.count} at {group.title}, lower the requests, or choose a smaller `target.size`"
    return _LOWER


def _of_item(item: Item, severity: Severity, message: str, fix: str) -> Finding:
    return report.finding(item.demand.manifest, severity, CODE, message, fix=fix)


def _of_stack(fit: StackFit, severity: Severity, message: str, fix: str) -> Finding:
    return Finding(code=CODE, severity=severity, message=message, where=fit.groups[0].where, fix=fix)
