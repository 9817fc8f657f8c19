"""cast: working/ compiled into stacks/<name>/."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session, finding_json, verb


@verb("Compile working/ into stacks/<name>/: repository, image, deploy script.", sources=True, selection=True)
@click.option("--stale", is_flag=True, help="Cast working/ although the description or the lock moved on.")
@click.option(
    "--diff", is_flag=True, help="Only show how working/ differs from what was cast last; exit code 1 if it does."
)
def command(session: Session, stale: bool, diff: bool) -> int:
    """Hand edits in working/ are cast as they are. SOURCE_DATE_EPOCH dates what is cast."""
    return _compare(session) if diff else _cast(session, stale=stale)


def _compare(session: Session) -> int:
    from cluster_forge.cli.description import describe
    from cluster_forge.cli.output import changes_text
    from cluster_forge.foundation.names import counted
    from cluster_forge.stages.build.cast_diff import compare

    with session.services(offline=True, makes=False) as services:
        stack = describe(services, session.selection).stack
        found = compare(stack.name, services.files, services.repositories())
    for each in found:
        for line in changes_text.file_lines(each):
            session.say(line)
    session.say(f"{counted(len(found), 'difference')} from stacks/{stack.name}" if found else "no differences")
    session.answer("cast --diff", stack=stack.name, differences=[changes_text.file_json(each) for each in found])
    return 1 if found else 0


def _cast(session: Session, *, stale: bool) -> int:
    from cluster_forge.cli import audit_trail
    from cluster_forge.cli.description import components_json, counted, describe
    from cluster_forge.cli.output.cast_text import cast_json, source_date, tell_cast
    from cluster_forge.stages.build import input_fingerprint, locking
    from cluster_forge.stages.build.cast import CastRequest
    from cluster_forge.stages.build.cast import cast as cast_stage

    with session.services(offline=True, makes=False) as services, services.files.locked():
        described = describe(services, session.selection)
        stack = described.stack
        sources = locking.look_up(stack.components, described.lock, services.sources)
        request = CastRequest(
            stack=stack,
            inputs=input_fingerprint.fingerprint(stack, sources, described.lock, services.toolbox),
            time=source_date(),
            allow_stale=stale,
        )
        with session.reporting("cast") as reporter:
            made = cast_stage(request, services.toolbox, services.repositories(), reporter)
        audit_trail.keep(session, "cast", described, made, services.files)
    tell_cast(session, made, counted(made.findings))
    session.answer(
        "cast",
        stack=stack.name,
        components=components_json(made.parts, reused={part.name for part in made.parts}),
        objects=made.objects,
        findings=[finding_json(each) for each in made.findings],
        cast=cast_json(made),
    )
    return 0
