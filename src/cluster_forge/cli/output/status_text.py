"""How far a stack is in a cluster: as a table of 80 columns, as JSON, and for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cluster_forge.cli.output import columns
from cluster_forge.cli.output.terminal_text import one_line, styled
from cluster_forge.foundation.names import counted
from cluster_forge.stages.deliver.look.component_status import ComponentStatus, Condition, Sync
from cluster_forge.stages.deliver.status import StackStatus

_HEAD: Final = ("COMPONENT", "DEPLOYED", "STACK", "SYNC", "HEALTH")
_WIDEST: Final = (26, 14, 14, 9, 11)
"""Characters of each column, where the table would be wider than 80."""
_COLORS: Final = {Condition.PROGRESSING: "yellow", Condition.UNKNOWN: "yellow"}


def lines(status: StackStatus) -> Iterator[str]:
    """The table, below each component why it is not synced or healthy, and a line for all."""
    rows = [_HEAD, *(_row(component) for component in status.components)]
    head, *shown = columns.table(rows, _WIDEST)
    yield head
    for component, row in zip(status.components, shown, strict=True):
        yield _colored(row, component)
        yield from columns.notes(component.messages)
    yield summary(status)
    if release := status.release:
        yield f"release {release.number}: {one_line(release.version)}, {release.result}"


def summary(status: StackStatus) -> str:
    """``platform v-3fa9c1d2e4b5: 7 of 8 components healthy, 1 out of sync``."""
    healthy = sum(component.is_healthy for component in status.components)
    behind = sum(component.sync is Sync.OUT_OF_SYNC for component in status.components)
    text = f"{status.stack} {status.version}: {healthy} of {counted(len(status.components), 'component')} healthy"
    return text + (f", {behind} out of sync" if behind else "")


def json(status: StackStatus) -> dict[str, Any]:
    release = status.release
    return {
        "stack": status.stack,
        "version": status.version,
        "healthy": status.is_healthy,
        "synced": status.is_synced,
        "release": {
            "number": release.number,
            "version": release.version,
            "result": release.result,
            "began": release.began,
            "ended": release.ended,
        }
        if release
        else None,
        "components": [
            {
                "name": component.name,
                "version": component.version,
                "deployed": component.deployed,
                "sync": component.sync,
                "health": component.condition,
                "messages": list(component.messages),
            }
            for component in status.components
        ],
    }


def prometheus(status: StackStatus) -> Iterator[str]:
    """Metrics in the text format that Prometheus and a text-file collector read (Prometheus, "Exposition formats")."""
    stack = {"stack": status.stack}
    healthy = [(component.name, component.is_healthy) for component in status.components]
    synced = [(component.name, component.sync is Sync.SYNCED) for component in status.components]
    yield from _metric(
        "component_healthy",
        "Whether a component is healthy.",
        [({**stack, "component": name}, int(is_it)) for name, is_it in healthy],
    )
    yield from _metric(
        "component_synced",
        "Whether the cluster has what the cast stack has.",
        [({**stack, "component": name}, int(is_it)) for name, is_it in synced],
    )
    yield from _metric(
        "component_info",
        "The version of a component in the stack and in the cluster.",
        [
            ({**stack, "component": one.name, "version": one.version, "deployed": one.deployed}, 1)
            for one in status.components
        ],
    )
    if status.release:
        release = {**stack, "version": status.release.version, "result": status.release.result.value}
        yield from _metric(
            "release", "The number of the last release in the cluster.", [(release, status.release.number)]
        )


def _colored(row: str, component: ComponentStatus) -> str:
    if component.is_healthy:
        return row if component.sync is Sync.SYNCED else styled((row, {"fg": "yellow"}))
    return styled((row, {"fg": _COLORS.get(component.condition, "red")}))


def _row(component: ComponentStatus) -> tuple[str, ...]:
    return (component.name, component.deployed or "-", component.version or "-", component.sync, component.condition)


def _metric(name: str, purpose: str, samples: list[tuple[dict[str, str], int]]) -> Iterator[str]:
    yield f"# HELP cluster_forge_{name} {purpose}"
    yield f"# TYPE cluster_forge_{name} gauge"
    for labels, value in samples:
        listed = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"cluster_forge_{name}{{{listed}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
