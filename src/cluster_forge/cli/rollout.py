"""A rollout to several clusters, by Cluster-Forge or a central Argo CD: its results as text and as JSON, and how to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cluster_forge.cli import deployer

if TYPE_CHECKING:
    from cluster_forge.cli.fleet import Members
    from cluster_forge.cli.session import Session
    from cluster_forge.stack.clusters import DescribedCluster
    from cluster_forge.stages.deliver.rollout import ClusterOutcome


class ClusterResult(Protocol):
    """What became of the stack in one cluster."""

    @property
    def is_good(self) -> bool:
        """Whether the clusters after this one may follow."""

    @property
    def way_back(self) -> str:
        """The stack to which `rollback` can return here, where the deployment has failed; empty: there is no way back."""

    def lines(self) -> Iterable[str]:
        """For people: a line for each component, and one for all."""

    def json(self) -> Mapping[str, Any]:
        """The same for programs."""

    def reasons(self) -> Iterable[str]:
        """A line for each component that was not deployed, and why."""


Result = TypeVar("Result", bound=ClusterResult)


def run(
    session: Session, members: Members, deploy: Callable[[DescribedCluster], Result]
) -> Sequence[ClusterOutcome[Result]]:
    """``deploy`` to every cluster, as the description orders them."""
    from cluster_forge import composition
    from cluster_forge.stages.deliver.rollout import roll_out

    rollout = members.fleet.rollout
    workers = composition.workers(replace(session.settings(), jobs=rollout.max_unavailable))
    return roll_out(members.steps, rollout, workers, deploy, lambda done: done.is_good)


def concluded(session: Session, members: Members, outcomes: Sequence[ClusterOutcome[Result]], again: str) -> int:
    """Print the results; the exit code. ``again`` is what to type to go on, without the clusters.

    Raises:
        ForgeError, ExceptionGroup: as `deployer.concluded`.
    """
    from cluster_forge.cli.output import rollout_text

    for outcome in outcomes:
        session.print(rollout_text.title(outcome))
        for line in outcome.result.lines() if outcome.result else ():
            session.print(line)
    documents = [{**rollout_text.json(one), **(one.result.json() if one.result else {})} for one in outcomes]
    session.print_json("deploy", clusters=documents)
    ways = rollout_text.Ways(again=again, back=session.fleet_command("rollback"))
    reasons = [line for one in outcomes if one.result for line in one.result.reasons()]
    return deployer.concluded(session, rollout_text.errors(outcomes, ways, members.option), reasons)
