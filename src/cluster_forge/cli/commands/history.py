"""history: the releases of a stack in a cluster."""

from __future__ import annotations

import click

from cluster_forge.cli import delivery_options
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import DELIVERS, verb


@verb(*DELIVERS)
@click.argument("stack", required=False)
@delivery_options.cluster
def command(session: Session, stack: str | None, *, cluster: str | None) -> None:
    """List the releases of a stack in a cluster: each deployment is one.

    STACK may be left out if the cluster has one only. The last ten are kept, and the last good one. `rollback` goes back to
    one of them; those of deploy.sh are listed only, since it keeps no files in the cluster. The cluster of a central Argo CD
    keeps those of the clusters that it delivers to.

    Examples:
        cluster-forge history
        cluster-forge history --cluster eu-1      # of the description
        cluster-forge history platform --format json
    """
    from cluster_forge.cli import cluster_stacks, destinations
    from cluster_forge.cli.output import history_text
    from cluster_forge.stages.deliver.cluster_records import releases

    destination = destinations.chosen(session, cluster)
    reached = destination.session.reached()
    name = (
        cluster_stacks.central(stack, reached, destination.name).name
        if destination.name
        else cluster_stacks.chosen(stack, releases.stacks(reached), reached, "history")
    )
    listed = releases.listed(reached, name, destination.name)
    for line in history_text.lines(listed):
        session.print(line)
    session.print_json(
        "history", stack=name, cluster=destination.name, releases=[history_text.release_json(one) for one in listed]
    )
