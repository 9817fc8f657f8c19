"""history: the releases of a stack in a cluster."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import DELIVERS, verb


@verb(*DELIVERS)
@click.argument("stack", required=False)
def command(session: Session, stack: str | None) -> None:
    """List the releases of a stack in a cluster: each deployment is one.

    STACK may be left out if the cluster has one only. The last ten are kept, and the last good one. `rollback` goes back to
    one of them; those of deploy.sh are listed only, since it keeps no files in the cluster.

    Examples:
        cluster-forge history
        cluster-forge history platform --format json
    """
    from cluster_forge.cli import cluster_stacks
    from cluster_forge.cli.output import history_text
    from cluster_forge.stages.deliver.cluster_records import releases

    cluster = session.reached()
    name = cluster_stacks.chosen(stack, releases.stacks(cluster), cluster.about(), "history")
    listed = releases.listed(cluster, name)
    for line in history_text.lines(listed):
        session.print(line)
    session.print_json("history", stack=name, releases=[history_text.release_json(one) for one in listed])
