"""Several clusters in one table: how far the stack is in each, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from cluster_forge.cli.output import columns, status_text
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.foundation.errors import ClusterError
from cluster_forge.manifests.comparison.fields import Change
from cluster_forge.stages.deliver.look.component_status import Sync

if TYPE_CHECKING:
    from cluster_forge.manifests.comparison.objects import Comparison
    from cluster_forge.stages.deliver.rollout import ClusterOutcome
    from cluster_forge.stages.deliver.status import StackStatus

_STATUS_HEAD: Final = ("CLUSTER", "ENVIRONMENT", "RELEASE", "HEALTHY", "OUT OF SYNC", "NOT HEALTHY")
_STATUS_WIDEST: Final = (16, 18, 7, 7, 11, 20)
_DIFF_HEAD: Final = ("CLUSTER", "ENVIRONMENT", "ADDED", "CHANGED", "REMOVED")
_DIFF_WIDEST: Final = (24, 30, 7, 7, 7)


def status_lines(seen: Sequence[ClusterOutcome[StackStatus]]) -> Iterator[str]:
    """A row for each cluster; below the table the errors of clusters that do not answer, or not say."""
    yield from columns.table([_STATUS_HEAD, *map(_status_row, seen)], _STATUS_WIDEST)
    yield from _errors(seen)


def status_json(seen: Sequence[ClusterOutcome[StackStatus]]) -> list[dict[str, Any]]:
    return [about(one) | (status_text.json(one.result) if one.result else {}) for one in seen]


def diff_lines(seen: Sequence[ClusterOutcome[Comparison]]) -> Iterator[str]:
    """A row for each cluster with the number of its objects that differ; below the table the errors."""
    yield from columns.table([_DIFF_HEAD, *map(_diff_row, seen)], _DIFF_WIDEST)
    yield from _errors(seen)


def diff_json(seen: Sequence[ClusterOutcome[Comparison]]) -> list[dict[str, Any]]:
    from cluster_forge.cli.output import diff_text

    return [about(one) | (diff_text.json(one.result) if one.result is not None else {}) for one in seen]


def _status_row(one: ClusterOutcome[StackStatus]) -> tuple[str, ...]:
    status = one.result
    if status is None:
        is_silent = all(isinstance(error, ClusterError) for error in one.errors)
        return (one.cluster.name, one.cluster.environment, "-", "-", "-", "no answer" if is_silent else "not known")
    components = status.components
    ill = [component.name for component in components if not component.is_healthy]
    behind = sum(component.sync is Sync.OUT_OF_SYNC for component in components)
    release = str(status.release.number) if status.release else "-"
    return (
        one.cluster.name,
        one.cluster.environment,
        release,
        f"{len(components) - len(ill)}/{len(components)}",
        str(behind),
        ", ".join(ill) or "-",
    )


def _diff_row(one: ClusterOutcome[Comparison]) -> tuple[str, ...]:
    if one.result is None:
        return (one.cluster.name, one.cluster.environment, *("-" for _ in Change))
    counts = Counter(difference.change for difference in one.result.objects)
    return (
        one.cluster.name,
        one.cluster.environment,
        *(str(counts[change]) for change in (Change.ADDED, Change.CHANGED, Change.REMOVED)),
    )


def about(one: ClusterOutcome[Any]) -> dict[str, Any]:
    """To be completed with the result, if there is one."""
    return {
        "name": one.cluster.name,
        "environment": one.cluster.environment,
        "errors": [{"message": str(error), "fix": error.fix, "code": error.exit_code} for error in one.errors],
    }


def _errors(seen: Sequence[ClusterOutcome[Any]]) -> Iterator[str]:
    for one in seen:
        for error in one.errors:
            yield f"{one.cluster.name}: {one_line(str(error))}" + (f"\n  {one_line(error.fix)}" if error.fix else "")
