"""Whether a stack fits, for people (`checks.fit.views`)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation.names import counted

View = Mapping[str, Any]
_COLUMNS: Final = 80
_NAMED: Final = 4
_VERDICTS: Final = {
    "fits": "the stack fits on {nodes}",
    "tight": "the stack fits on {nodes} if its Pods are packed; the scheduler, which moves none, may not find the way",
    "not-placed": "no placement on {nodes} was found",
    "does-not-fit": "the stack does not fit on {nodes}",
}


def lines(page: View, *, has_placement: bool) -> Iterator[str]:
    """The verdict, what happens to the placement, the footprint, and the placement if it is asked for."""
    yield from _verdict(page)
    yield from _shortages(page)
    yield from _scenarios(page)
    yield ""
    yield from _footprint(page["footprint"])
    for one in page["volumes"]:
        name = f"class {one['class']}" if one["class"] else "the default class"
        yield f"volumes of {name}: {counted(one['claims'], 'claim')}, {one['storage']}"
    if has_placement and page["placement"]:
        yield ""
        yield from _placement(page["placement"])


def _verdict(page: View) -> Iterator[str]:
    if not page["nodes"]:
        yield from _wrapped("target.nodes is empty: write the nodes to see whether the stack fits")
        return
    total = sum(group["count"] for group in page["nodes"])
    if page["verdict"] is None:
        yield from _wrapped(f"whether the stack fits cannot be decided without {', '.join(page['undecided'])}")
    else:
        limit = "; not decided: the search has a limit, and there may be one" if page["isCut"] else ""
        yield from _wrapped(_VERDICTS[page["verdict"]].format(nodes=counted(total, "node")) + limit)
    for group in page["nodes"]:
        size = ", ".join(f"{name} {amount}" for name, amount in group["capacity"].items())
        least = f"; {_least(group['least'])} would do" if group["least"] is not None else ""
        yield from _wrapped(f"{group['where']}: {group['count']} × {size}{least}", "  ", "    ")


def _least(count: int) -> str:
    return "none of them" if not count else str(count)


def _shortages(page: View) -> Iterator[str]:
    for shortage in page["shortages"]:
        what = shortage["resource"] or "Pods at once"
        numbers = f"{shortage['requested']} wanted, {shortage['available']} on {counted(shortage['nodes'], 'node')}"
        text = f"short of {what} ({shortage['kind']}): {numbers}: {_named(shortage['objects'])}"
        if shortage["kind"] == "no-node":
            text = f"no node for {_named(shortage['objects'])}"
        reason = f" ({shortage['reason']})" if shortage["reason"] else ""
        yield from _wrapped(text + reason, "  ", "    ")
    if missing := page["missing"]:
        reason = f" ({missing[0]['reason']})" if page["verdict"] == "not-placed" else ""
        yield from _wrapped(f"without a node: {_pods(missing)}{reason}", "  ", "    ")
    for one in page["displaced"]:
        text = f"not counted: {one['object']}, whose host port {one['by']} takes on its nodes"
        yield from _wrapped(text, "  ", "    ")


def _scenarios(page: View) -> Iterator[str]:
    for down in page["nodeDown"]:
        waiting = f"no room for {_pods(down['waiting'])}" if down["waiting"] else "all find another"
        yield from _wrapped(f"{down['node']} down with {counted(down['pods'], 'Pod')}: {waiting}", "  ", "    ")
    if update := page["update"]:
        waiting = f"{_pods(update['waiting'])} wait for others" if update["waiting"] else "all find a node"
        text = f"all Deployments updated at once, {counted(update['pods'], 'Pod')} more: {waiting}"
        yield from _wrapped(text, "  ", "    ")
        if update["stuck"]:
            yield from _wrapped(f"cannot be updated: {_named(update['stuck'])}", "  ", "    ")
    if page["jobs"]:
        yield from _wrapped(f"Jobs without a node: {_pods(page['jobs'])}", "  ", "    ")
    if peak := page["peak"]:
        verdict = peak["verdict"]
        yield from _wrapped(f"autoscalers at their most, {counted(peak['pods'], 'Pod')}: {verdict}", "  ", "    ")


def _footprint(components: Sequence[View]) -> Iterator[str]:
    """A table; amounts of each node are those of DaemonSets."""
    rows = [("component", "Pods", "CPU", "memory", "CPU/node", "memory/node")]
    for one in components:
        requests, on_each = one["requests"], one["onEachNode"]
        amounts = (requests.get("cpu"), requests.get("memory"), on_each.get("cpu"), on_each.get("memory"))
        rows.append((one["component"], str(one["pods"]), *(amount or "" for amount in amounts)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for name, *rest in rows:
        cells = (f"{text:>{width}}" for text, width in zip(rest, widths[1:], strict=True))
        yield "  ".join((f"{name:<{widths[0]}}", *cells)).rstrip()


def _placement(nodes: Sequence[View]) -> Iterator[str]:
    for node in nodes:
        free = ", ".join(f"{name} {amount}" for name, amount in node["free"].items())
        yield f"{node['node']}: free {free}"
        for pod in node["pods"]:
            yield f"  {pod['count']} × {pod['object']}"


def _pods(waiting: Sequence[View]) -> str:
    total = sum(one["pods"] for one in waiting)
    return f"{counted(total, 'Pod')} of {_named([one['object'] for one in waiting])}"


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _wrapped(text: str, first: str = "", following: str = "  ") -> list[str]:
    return textwrap.wrap(
        text,
        _COLUMNS,
        initial_indent=first,
        subsequent_indent=following,
        break_on_hyphens=False,
        break_long_words=False,
    )
