"""smelt: the description, the lock and input/ rendered into working/."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import BUILDS, SELECTS, verb


@verb(*BUILDS, *SELECTS)
@click.option("--discard-edits", is_flag=True, help="Overwrite hand edits in working/.")
def command(session: Session, discard_edits: bool) -> int:
    """Render working/ from the description, the lock and input/.

    Every object becomes one file. Nothing is fetched: run mine first, or forge. A finding with the severity error
    leaves working/ as it was, and the exit code is 1. On a terminal smelt asks which components to render, unless names
    or --yes are given.

    Examples:
        cluster-forge smelt --yes                # the whole stack
        cluster-forge smelt grafana loki         # these components only
        cluster-forge smelt --environment production
        cluster-forge smelt --allow duplicate-object
    """
    from cluster_forge.cli.description import describe
    from cluster_forge.cli.output import changes_text, result_json
    from cluster_forge.cli.output.counts import finding_counts
    from cluster_forge.cli.prompts import questions
    from cluster_forge.foundation import names
    from cluster_forge.stages.build import locking
    from cluster_forge.stages.build.smelt import SmeltRequest
    from cluster_forge.stages.build.smelt import smelt as smelt_stage

    session = questions.components_to_smelt(session)
    with session.services(offline=True) as services, services.files.locked():
        description = describe(services, session.selection)
        stack = description.stack
        sources = locking.look_up(stack.components, description.lock, services.sources)
        request = SmeltRequest(
            stack=stack,
            sources=sources,
            lock=description.lock,
            notices=description.notices,
            allow=frozenset(session.findings.allow),
            discard_edits=discard_edits,
            ignore_cache=session.rendering.no_cache,
        )
        with session.reporting("render", "smelt") as reporter:
            smelted = smelt_stage(request, services.toolbox, reporter)
    counts = finding_counts(smelted.findings)
    if smelted.is_written:
        if not smelted.changes.is_first:
            session.print(changes_text.summary(smelted.changes))
        for line in changes_text.lines(smelted.changes, is_whole=session.output.verbosity > 1):
            session.print(line)
        following = session.command_line(f"cast{questions.selection_arguments(session.selection)}")
        objects = names.counted(smelted.objects, "object")
        session.print(f"{objects} in working/{f' ({counts})' if counts else ''}; next: {following}")
    else:
        session.print(f"working/ was not written: {counts}")
    session.print_json("smelt", **result_json.smelted_json(stack, smelted))
    return 0 if smelted.is_written else 1
