"""audit: who changed a stack in a cluster."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import DELIVERS, verb


@verb(*DELIVERS)
@click.argument("stack", required=False)
@click.option(
    "--last", type=click.IntRange(1), default=50, metavar="N", show_default=True, help="So many entries at most."
)
def command(session: Session, stack: str | None, *, last: int) -> None:
    """Show who changed the stacks in a cluster, when, and from which image.

    STACK chooses one stack; without it all are shown. The log is in the cluster, in ConfigMaps of the namespace
    cluster-forge; each change is an Event there, too. The log of a stack goes with it. What was cast in a workspace, and deployed or removed from
    there, is in its .cluster-forge/history.jsonl, too.

    Examples:
        cluster-forge audit
        cluster-forge audit platform --last 5 --format json
    """
    from cluster_forge.cli import cluster_stacks
    from cluster_forge.cli.output import history_text
    from cluster_forge.foundation.json_codec import dump
    from cluster_forge.stages.deliver.cluster_records import audit_log

    cluster, name = session.reached(), cluster_stacks.named(stack) or ""
    entries = audit_log.read(cluster, name)[-last:]
    for line in history_text.entries(entries):
        session.print(line)
    if not entries:
        session.print(f"no change of {f'the stack {name}' if name else 'a stack'} is on record in {cluster.about()}")
    session.print_json("audit", entries=[history_text.plain(dump(entry)) for entry in entries])
