"""mine: the sources, fetched, locked and rendered."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session, verb


@verb("Fetch, verify, lock and render what the description names.", sources=True, network=True, selection=True)
@click.option("--update", is_flag=True, help="Resolve versions anew and move the lock (of NAME, or of all).")
def command(session: Session, update: bool) -> None:
    """Writes cluster-forge.lock and input/<component>/manifests/sourced/; the only verb that uses the network."""
    from cluster_forge.cli.description import describe
    from cluster_forge.foundation import names
    from cluster_forge.stages.build.mine import MineRequest
    from cluster_forge.stages.build.mine import mine as mine_stage

    with session.services() as services, services.files.locked():
        described = describe(services, session.selection)
        every = frozenset(component.name for component in described.stack.components)
        request = MineRequest(stack=described.stack, lock=described.lock, update=every if update else frozenset())
        with session.reporting("mine", "render") as reporter:
            mined = mine_stage(request, services.toolbox, services.sources, reporter)
    if not mined.objects:
        session.say("nothing to mine: every manifest lies in input/ already")
    else:
        session.say(
            f"{names.counted(len(mined.objects), 'component')} mined, {names.counted(sum(mined.objects.values()), 'object')}; next: {session.line('smelt')}"
        )
    session.answer(
        "mine",
        stack=described.stack.name,
        components=[
            {
                "name": name,
                "version": chart.version if (chart := mined.chart(name)) else "",
                "namespace": described.stack.component(name).namespace,
                "wave": described.stack.component(name).wave,
                "objects": objects,
                "reused": name in mined.reused,
            }
            for name, objects in mined.objects.items()
        ],
        objects=sum(mined.objects.values()),
        findings=[],
    )
