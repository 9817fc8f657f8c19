"""forge: everything in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cluster_forge.cli.output import error_text
from cluster_forge.cli.session import Session, verb

if TYPE_CHECKING:
    from cluster_forge.composition import Services
    from cluster_forge.stages.build.forge import ForgeRequest
    from cluster_forge.stages.build.smelt import SmeltResult
    from cluster_forge.stages.describe.load_description import Description


@verb("Mine what is missing, smelt and cast in one go.", sources=True, network=True, selection=True)
@click.option("--discard-edits", is_flag=True, help="Overwrite hand edits in working/.")
@click.option("--watch", is_flag=True, help="Then smelt again whenever something in input/ changes.")
def command(session: Session, discard_edits: bool, watch: bool) -> int:
    """SOURCE_DATE_EPOCH dates what is cast. Exit code 1 if a finding is an error."""
    if watch and session.as_json:
        raise click.UsageError("--watch has no end, and --format json is one document: leave one of them out")
    with session.services() as services:
        before = services.files.stamps("input") if watch else {}
        code = _forge(session, services, discard_edits=discard_edits)
        if watch:
            from cluster_forge.cli import watch_loop

            watch_loop.watch(session, services.files, before, lambda: _smelt(session, services))
    return code


def _forge(session: Session, services: Services, *, discard_edits: bool) -> int:
    from cluster_forge.cli import audit_trail
    from cluster_forge.cli.description import counted, describe, smelted_json
    from cluster_forge.cli.output.cast_text import cast_json, source_date, tell_cast
    from cluster_forge.stages.build.forge import forge as forge_stage

    with services.files.locked():
        described = describe(services, session.selection)
        request = _request(session, described, discard_edits=discard_edits, time=source_date())
        with session.reporting("mine", "render", "smelt", "cast") as reporter:
            forged = forge_stage(request, services.toolbox, services.sources, services.repositories(), reporter)
        if forged.cast:
            audit_trail.keep(session, "forge", described, forged.cast, services.files)
    content = dict(smelted_json(described.stack, forged.smelted))
    if forged.cast is None:
        session.say(f"nothing was cast: {counted(forged.smelted.findings)}")
    else:
        tell_cast(session, forged.cast, counted(forged.smelted.findings))
        content["cast"] = cast_json(forged.cast)
    session.answer("forge", **content)
    return 0 if forged.cast else 1


def _smelt(session: Session, services: Services) -> SmeltResult:
    """Mine what is missing and smelt, quietly; hand edits are never overwritten."""
    from cluster_forge.cli.description import describe
    from cluster_forge.cli.progress.line_reporter import LineReporter
    from cluster_forge.stages.build.forge import mine_and_smelt

    with services.files.locked():
        described = describe(services, session.selection)
        request = _request(session, described, discard_edits=False, time=0)
        reporter = LineReporter(0, lambda text: error_text.tell(text, color=session.color))
        return mine_and_smelt(request, services.toolbox, services.sources, reporter)


def _request(session: Session, described: Description, *, discard_edits: bool, time: int) -> ForgeRequest:
    from cluster_forge.stages.build.forge import ForgeRequest

    return ForgeRequest(
        stack=described.stack,
        lock=described.lock,
        time=time,
        notices=described.notices,
        allow=session.allow,
        discard_edits=discard_edits,
        ignore_cache=not session.is_cached,
    )
