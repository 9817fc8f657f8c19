"""status: how far a cast stack is in a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import CONNECTS, ON_MANY, verb

if TYPE_CHECKING:
    from cluster_forge.cli.fleet import DeployedTo
    from cluster_forge.stages.deliver.status import StackStatus
    from cluster_forge.stages.deliver.tools import DeliverTools

PROMETHEUS = "prometheus"


@verb(*CONNECTS, *ON_MANY, formats={PROMETHEUS: "metrics for a text-file collector"})
@click.argument("stack", required=False)
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
def command(session: Session, stack: str | None, watch: bool) -> int:
    """Show how far a cast stack is in a cluster, and why it is not healthy.

    STACK is the name of a folder below stacks/; it may be left out if there is one only. For each component: its version
    in the cluster and in the stack, whether the cluster has what the stack has, and whether it is healthy, as Argo CD says
    it or as its objects say. Exit code 1 if not all components are synced and healthy.

    Examples:
        cluster-forge status
        cluster-forge status platform.production --context production --watch
        cluster-forge status --selector region=eu   # several clusters, one table
        cluster-forge status --format prometheus
    """
    from cluster_forge.cli import stack_folders, status_watch

    if session.is_on_many:
        return _of_fleet(session, stack, watch=watch)
    if watch and session.output.format != "text":
        raise click.UsageError("--watch is for people: leave --format out")
    with stack_folders.opened(session, stack, "status") as place:
        if watch:
            status_watch.watch(session, place)
        deployment, parts = stack_folders.read(session, place)
        from cluster_forge.stages.deliver.status import STAGE, StatusRequest, status

        with session.reporting(STAGE) as reporter:
            seen = status(StatusRequest(deployment=deployment, parts=parts), session.delivery(reporter))
    _print(session, seen)
    return 0 if seen.is_good else 1


def _of_fleet(session: Session, stack: str | None, *, watch: bool) -> int:
    """Several clusters, side by side; one that does not answer is a row of the table."""
    if watch or session.output.format == PROMETHEUS:
        raise click.UsageError("--watch and --format prometheus are for one cluster: choose it with --context")
    from cluster_forge.cli import fleet
    from cluster_forge.cli.output import fleet_text
    from cluster_forge.stages.deliver.status import STAGE, StatusRequest, status

    def look(one: DeployedTo, tools: DeliverTools) -> StackStatus:
        return status(StatusRequest(deployment=one.deployment, parts=one.parts), tools)

    with fleet.opened(session, stack, "status") as members:
        seen = fleet.looked_at(session, members, STAGE, look, through_central=True)
    for line in fleet_text.status_lines(seen):
        session.print(line)
    session.print_json("status", clusters=fleet_text.status_json(seen))
    return 0 if all(one.result and one.result.is_good for one in seen) else 1


def _print(session: Session, seen: StackStatus) -> None:
    from cluster_forge.cli.output import status_text

    for line in (status_text.prometheus if session.output.format == PROMETHEUS else status_text.lines)(seen):
        session.print(line)
    session.print_json("status", **status_text.json(seen))
