"""mine: the sources, fetched, locked and rendered."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import BUILDS, FETCHES, SELECTS, verb


@verb(*BUILDS, *FETCHES, *SELECTS)
@click.option("--update", is_flag=True, help="Resolve versions again and update the lock, for NAME or for all.")
@click.option("--within", metavar="RANGE", default="", help="With --update: only versions that are in this range, too.")
def command(session: Session, update: bool, within: str) -> None:
    """Fetch, verify, lock and render what the description names.

    Charts and manifests are fetched (from a mirror first), pinned by digest in cluster-forge.lock, and rendered into
    input/<component>/manifests/sourced/, which can be reviewed and committed. --update moves the lock to newer versions;
    `outdated` lists them.

    Examples:
        cluster-forge mine
        cluster-forge mine --update grafana     # the newest version in range
        cluster-forge mine --update grafana --within '^12.1'
        cluster-forge mine --offline --mirror /srv/mirror
    """
    if within and not (update and (session.selection.names or session.selection.select)):
        raise click.UsageError("--within RANGE needs names: mine --update NAME --within RANGE")
    from cluster_forge.cli.description import load_mined
    from cluster_forge.cli.output import result_json
    from cluster_forge.foundation import names
    from cluster_forge.stack.lock import moved
    from cluster_forge.stages.build.mine import MineRequest
    from cluster_forge.stages.build.mine import mine as mine_stage

    with session.services() as services, services.files.locked():
        updates_all = update and not (session.selection.names or session.selection.select)
        description = load_mined(services, session.selection, update=updates_all)
        stack = description.stack
        every = frozenset(component.name for component in stack.components)
        request = MineRequest(
            stack=stack, lock=description.lock, update=every if update else frozenset(), within=within
        )
        with session.reporting("mine", "render") as reporter:
            mined = mine_stage(request, services.toolbox, services.sources, reporter)
    moves = list(moved(description.lock, mined.lock))
    for name, before, after in moves:
        change = f"{before.version} → {after.version}" if before.version != after.version else "another content"
        session.print(f"{name}: {after.address} {change}")
    if mined.objects:
        components = names.counted(len(mined.objects), "component")
        objects = names.counted(sum(mined.objects.values()), "object")
        session.print(f"{components} mined, {objects}; next: {session.command_line('smelt')}")
    else:
        session.print("nothing to mine: every manifest is in input/ already")
    session.print_json("mine", **result_json.mined_json(stack, mined), moved=result_json.moved_json(moves))
