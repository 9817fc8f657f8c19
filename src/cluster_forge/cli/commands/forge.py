"""forge: everything in one go."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session, verb


@verb("Mine what is missing, smelt and cast in one go.", sources=True, network=True, selection=True)
@click.option("--discard-edits", is_flag=True, help="Overwrite hand edits in working/.")
def command(session: Session, discard_edits: bool) -> int:
    """SOURCE_DATE_EPOCH dates what is cast. Exit code 1 if a finding is an error."""
    from cluster_forge.cli import history
    from cluster_forge.cli.description import counted, describe, smelted_json
    from cluster_forge.cli.result import cast_json, source_date, tell_cast
    from cluster_forge.stages.forge import ForgeRequest
    from cluster_forge.stages.forge import forge as forge_stage

    with session.workshop() as workshop, workshop.files.locked():
        described = describe(workshop.files, session.selection)
        request = ForgeRequest(
            stack=described.stack,
            lock=described.lock,
            time=source_date(),
            notices=described.notices,
            allow=session.selection.allow,
            discard_edits=discard_edits,
            is_anew=not session.is_cached,
        )
        with session.reporting("mine", "render", "smelt", "cast") as reporter:
            forged = forge_stage(request, workshop.tools, workshop.sources, workshop.repositories, reporter)
        if forged.cast:
            history.keep(session, "forge", described, forged.cast, workshop.files)
    content = dict(smelted_json(described.stack, forged.smelted))
    if forged.cast is None:
        session.say(f"nothing was cast: {counted(forged.smelted.findings)}")
    else:
        tell_cast(session, forged.cast, counted(forged.smelted.findings))
        content["cast"] = cast_json(forged.cast)
    session.answer("forge", **content)
    return 0 if forged.cast else 1
