"""cast: working/ compiled into stacks/<name>/."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import BUILDS, SELECTS, verb


@verb(*BUILDS, *SELECTS)
@click.option("--stale", is_flag=True, help="Cast working/ even if it is out of date.")
@click.option(
    "--diff",
    is_flag=True,
    help="Write nothing: print the differences between working/ and the last cast; exit code 1 if there are any.",
)
def command(session: Session, stale: bool, diff: bool) -> int:
    """Compile working/ into stacks/<name>/: repository, image, deploy script.

    Hand edits in working/ are included. If the description, the lock, input/ or the selection changed since the last
    smelt, cast stops: run smelt again, or pass --stale. SOURCE_DATE_EPOCH (seconds since 1970) sets the date of
    everything that is written; without it the same input gives the same bytes on any day.

    Examples:
        cluster-forge cast
        cluster-forge cast --diff                     # against the last cast
        cluster-forge cast --environment production   # as it was smelted
    """
    return _diff(session) if diff else _cast(session, stale=stale)


def _diff(session: Session) -> int:
    from cluster_forge.cli.description import load
    from cluster_forge.cli.output import changes_text
    from cluster_forge.foundation.names import counted
    from cluster_forge.stack import variant
    from cluster_forge.stages.build.cast_diff import compare

    with session.services(offline=True, renders=False) as services:
        stack = load(services, session.selection).stack
        differences = compare(stack, services.files, services.repositories, session.selecting_command)
    for difference in differences:
        for line in changes_text.file_lines(difference):
            session.print(line)
    count = counted(len(differences), "difference")
    session.print(f"{count} from stacks/{variant.folder(stack)}" if differences else "no differences")
    session.print_json(
        "cast --diff",
        stack=stack.name,
        differences=[changes_text.file_json(difference) for difference in differences],
    )
    return 1 if differences else 0


def _cast(session: Session, *, stale: bool) -> int:
    from cluster_forge.cli.description import load
    from cluster_forge.cli.output import cast_text, result_json
    from cluster_forge.cli.output.counts import finding_counts
    from cluster_forge.cli.source_date import source_date
    from cluster_forge.stages.build import input_fingerprint, locking
    from cluster_forge.stages.build.cast import CastRequest
    from cluster_forge.stages.build.cast import cast as cast_stage
    from cluster_forge.stages.build.casting import base_image

    with session.services(offline=True, renders=False) as services, services.files.locked():
        description = load(services, session.selection)
        stack = description.stack
        sources = locking.look_up(stack.components, description.lock, services.sources)
        request = CastRequest(
            stack=stack,
            inputs=input_fingerprint.fingerprint(stack, sources, description.lock, services.toolbox),
            time=source_date(),
            base=base_image.look_up(stack, description.lock),
            allow_stale=stale,
            command=session.selecting_command,
        )
        with session.reporting("cast") as reporter:
            cast = cast_stage(request, services.toolbox, services.repositories, reporter)
        session.audit_trail.cast("cast", description, cast, services.files)
    verbosity = session.output.verbosity
    for line in cast_text.summary(cast, finding_counts(cast.findings, verbosity), is_whole=verbosity > 1):
        session.print(line)
    for line in cast_text.next_steps(cast, session.workspace, session.command_line):
        session.print(line)
    session.print_json(
        "cast",
        stack=stack.name,
        components=result_json.components_json(cast.parts, reused={part.name for part in cast.parts}),
        objects=cast.objects,
        findings=result_json.findings_json(cast.findings),
        discarded=result_json.discarded_json(cast.discarded),
        cast=result_json.cast_json(cast),
    )
    return 0
