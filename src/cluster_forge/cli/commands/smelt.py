"""smelt: the description, the lock and input/ made into working/."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session, verb


@verb("Make working/ from the description, the lock and input/.", sources=True, selection=True)
@click.option("--discard-edits", is_flag=True, help="Overwrite hand edits in working/.")
def command(session: Session, discard_edits: bool) -> int:
    """Nothing is fetched. Exit code 1 and no change if a finding is an error."""
    from cluster_forge.cli.description import counted, describe, smelted_json
    from cluster_forge.cli.output import changes_text
    from cluster_forge.cli.prompts import questions
    from cluster_forge.foundation import names
    from cluster_forge.stages.build import locking
    from cluster_forge.stages.build.smelt import SmeltRequest
    from cluster_forge.stages.build.smelt import smelt as smelt_stage

    session = questions.components_to_smelt(session)
    with session.services(offline=True) as services, services.files.locked():
        described = describe(services, session.selection)
        stack = described.stack
        sources = locking.look_up(stack.components, described.lock, services.sources)
        request = SmeltRequest(
            stack=stack,
            sources=sources,
            lock=described.lock,
            notices=described.notices,
            allow=session.allow,
            discard_edits=discard_edits,
            ignore_cache=not session.is_cached,
        )
        with session.reporting("render", "smelt") as reporter:
            smelted = smelt_stage(request, services.toolbox, reporter)
    told = counted(smelted.findings)
    if smelted.is_written:
        if not smelted.changes.is_first:
            session.say(changes_text.summary(smelted.changes))
        for line in changes_text.lines(smelted.changes, is_whole=session.verbosity > 1):
            session.say(line)
        following = session.line(f"cast{questions.said_again(session.selection)}")
        session.say(
            f"{names.counted(smelted.objects, 'object')} in working/{f' ({told})' if told else ''}; next: {following}"
        )
    else:
        session.say(f"working/ was not written: {told}")
    session.answer("smelt", **smelted_json(stack, smelted))
    return 0 if smelted.is_written else 1
