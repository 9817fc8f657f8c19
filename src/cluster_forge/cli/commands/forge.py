"""forge: everything in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cluster_forge.cli import explain
from cluster_forge.cli.session import Session, verb

if TYPE_CHECKING:
    from cluster_forge.stages.described import Described
    from cluster_forge.stages.forge import ForgeRequest
    from cluster_forge.stages.smelt import Smelted
    from cluster_forge.wiring import Workshop


@verb("Mine what is missing, smelt and cast in one go.", sources=True, network=True, selection=True)
@click.option("--discard-edits", is_flag=True, help="Overwrite hand edits in working/.")
@click.option("--watch", is_flag=True, help="Then smelt again whenever something in input/ changes.")
def command(session: Session, discard_edits: bool, watch: bool) -> int:
    """SOURCE_DATE_EPOCH dates what is cast. Exit code 1 if a finding is an error."""
    if watch and session.as_json:
        raise click.UsageError("--watch has no end, and --format json is one document: leave one of them out")
    with session.workshop() as workshop:
        before = workshop.files.marks("input") if watch else {}
        code = _forge(session, workshop, discard_edits=discard_edits)
        if watch:
            from cluster_forge.cli import watching

            watching.watch(session, workshop.files, before, lambda: _smelt(session, workshop))
    return code


def _forge(session: Session, workshop: Workshop, *, discard_edits: bool) -> int:
    from cluster_forge.cli import history
    from cluster_forge.cli.description import counted, describe, smelted_json
    from cluster_forge.cli.result import cast_json, source_date, tell_cast
    from cluster_forge.stages.forge import forge as forge_stage

    with workshop.files.locked():
        described = describe(workshop, session.selection)
        request = _request(session, described, discard_edits=discard_edits, time=source_date())
        with session.reporting("mine", "render", "smelt", "cast") as reporter:
            forged = forge_stage(request, workshop.tools, workshop.sources, workshop.repositories(), reporter)
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


def _smelt(session: Session, workshop: Workshop) -> Smelted:
    """Mine what is missing and smelt, quietly; hand edits are never overwritten."""
    from cluster_forge.cli.description import describe
    from cluster_forge.cli.lines import LineReporter
    from cluster_forge.stages.forge import mine_and_smelt

    with workshop.files.locked():
        described = describe(workshop, session.selection)
        request = _request(session, described, discard_edits=False, time=0)
        reporter = LineReporter(0, lambda text: explain.tell(text, color=session.color))
        return mine_and_smelt(request, workshop.tools, workshop.sources, reporter)


def _request(session: Session, described: Described, *, discard_edits: bool, time: int) -> ForgeRequest:
    from cluster_forge.stages.forge import ForgeRequest

    return ForgeRequest(
        stack=described.stack,
        lock=described.lock,
        time=time,
        notices=described.notices,
        allow=session.allow,
        discard_edits=discard_edits,
        is_anew=not session.is_cached,
    )
