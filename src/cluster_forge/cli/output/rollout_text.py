"""What became of each cluster of a rollout, as text and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cluster_forge.cli.output import fleet_text
from cluster_forge.cli.output.terminal_text import styled
from cluster_forge.foundation.errors import DeploymentError, ForgeError
from cluster_forge.foundation.names import counted
from cluster_forge.stages.deliver.rollout import ClusterOutcome, Verdict

_COLORS = {Verdict.DONE: "green", Verdict.FAILED: "red", Verdict.SKIPPED: "yellow"}


def title(outcome: ClusterOutcome[Any]) -> str:
    """``eu-1: done``."""
    return styled((f"{outcome.cluster.name}: {outcome.verdict}", {"fg": _COLORS[outcome.verdict]}))


def json(outcome: ClusterOutcome[Any]) -> dict[str, Any]:
    """To be completed with the result of the deployment, if there is one."""
    return {**fleet_text.about(outcome), "verdict": outcome.verdict}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What to type to go on, and to go back, without the clusters."""

    again: str
    back: str


def errors(outcomes: Sequence[ClusterOutcome[Any]], ways: Ways, option: str) -> list[ForgeError]:
    """Those of clusters that failed, and one about all, which says how to go on and back, with ``option`` for each cluster."""
    return list(_errors(outcomes, ways, option))


def _errors(outcomes: Sequence[ClusterOutcome[Any]], ways: Ways, option: str) -> Iterator[ForgeError]:
    failed = [outcome for outcome in outcomes if outcome.verdict is Verdict.FAILED]
    for outcome in failed:
        yield from outcome.errors
    if failed:
        skipped = [outcome.cluster.name for outcome in outcomes if outcome.verdict is Verdict.SKIPPED]
        rest = f"; not deployed to: {', '.join(skipped)}" if skipped else ""
        left = " ".join(_chosen(one, option) for one in outcomes if one.verdict is not Verdict.DONE)
        back = "".join(
            f"; or take {one.cluster.name} back: `{ways.back} {one.result.way_back} {_chosen(one, option)}`"
            for one in failed
            if one.result and one.result.way_back
        )
        yield DeploymentError(
            f"the deployment to {', '.join(outcome.cluster.name for outcome in failed)} failed, of "
            f"{counted(len(outcomes), 'cluster')}{rest}",
            fix=f"mend what is shown above, then run `{ways.again} {left}`{back}",
        )


def _chosen(outcome: ClusterOutcome[Any], option: str) -> str:
    return f"{option} {shlex.quote(outcome.cluster.name)}"
