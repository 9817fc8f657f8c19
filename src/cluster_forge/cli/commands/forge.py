"""forge: mine, smelt and cast in one go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cluster_forge.cli.edit_options import edit_options
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import BUILDS, FETCHES, SELECTS, verb

if TYPE_CHECKING:
    from cluster_forge.composition import Services
    from cluster_forge.stages.build.forge import ForgeRequest, ForgeResult
    from cluster_forge.stages.build.hand_edits.file_merge import Decide
    from cluster_forge.stages.build.smelt import SmeltResult
    from cluster_forge.stages.describe.load_description import Description


@verb(*BUILDS, *FETCHES, *SELECTS)
@edit_options
@click.option("--watch", is_flag=True, help="Keep running: smelt again after each change in input/.")
def command(session: Session, discard_edits: bool, merge: str | None, watch: bool) -> int:
    """Mine what is missing, smelt and cast in one go.

    Reads input/config.yaml and the lock, fetches and locks sources that the lock does not have yet, renders working/,
    and writes stacks/<name>/ with a Git repository, an OCI image and deploy.sh. A finding with the severity error stops
    before working/ is written, and the exit code is 1. SOURCE_DATE_EPOCH sets the date of everything that is cast.

    Examples:
        cluster-forge forge
        cluster-forge forge --offline --mirror /srv/mirror
        cluster-forge forge --environment production --skip grafana
        cluster-forge forge --watch
    """
    if watch and session.output.is_json:
        raise click.UsageError("--watch prints results until it is interrupted, --format json prints one: drop either")
    with session.services() as services:
        before = services.files.stamps("input") if watch else {}
        code = _forge(session, services, discard_edits=discard_edits, merge=merge)
        if watch:
            from cluster_forge.cli import watch_loop

            def stamps() -> watch_loop.Stamps:
                return services.files.stamps("input")

            watch_loop.watch(session, stamps, before, lambda: _smelt(session, services))
    return code


def _forge(session: Session, services: Services, *, discard_edits: bool, merge: str | None) -> int:
    from cluster_forge.cli import merging
    from cluster_forge.cli.description import load_mined
    from cluster_forge.cli.output import cast_text, edits_text, result_json
    from cluster_forge.cli.output.counts import finding_counts
    from cluster_forge.cli.source_date import source_date
    from cluster_forge.stages.build.forge import forge as forge_stage

    with services.files.locked():
        description = load_mined(services, session.selection)
        request = _request(session, description, discard_edits=discard_edits, time=source_date())

        def run(decide: Decide) -> ForgeResult:
            decided = replace(request, decide=decide)
            with session.reporting("mine", "render", "smelt", "cast") as reporter:
                return forge_stage(decided, services.toolbox, services.sources, services.repositories, reporter)

        forged = merging.decided(session, merge, run, lambda result: result.smelted)
        if forged.cast:
            session.audit_trail.cast("forge", description, forged.cast, services.files)
    content = dict(result_json.smelted_json(description.stack, forged.smelted))
    verbosity = session.output.verbosity
    counts = finding_counts((*forged.smelted.findings, *(forged.cast.findings if forged.cast else ())), verbosity)
    if forged.cast is None:
        session.print(f"nothing was cast: {counts}")
    else:
        for line in edits_text.lines(forged.smelted):
            session.print(line)
        for line in cast_text.summary(
            forged.cast, counts, is_whole=verbosity > 1, has_discarded=bool(forged.smelted.discarded)
        ):
            session.print(line)
        for line in cast_text.next_steps(forged.cast, session.workspace, session.command_line):
            session.print(line)
        content["findings"] += result_json.findings_json(forged.cast.findings)
        content["discarded"] += result_json.discarded_json(forged.cast.discarded)
        content["cast"] = result_json.cast_json(forged.cast)
    session.print_json("forge", **content)
    return 0 if forged.cast else 1


def _smelt(session: Session, services: Services) -> SmeltResult:
    """Mine what is missing and smelt; only errors are printed, and hand edits are kept."""
    from cluster_forge.cli.description import load_mined
    from cluster_forge.cli.output.streams import to_stderr
    from cluster_forge.cli.progress.line_reporter import LineReporter
    from cluster_forge.stages.build.forge import mine_and_smelt

    with services.files.locked():
        description = load_mined(services, session.selection)
        request = _request(session, description, discard_edits=False, time=0)
        reporter = LineReporter(0, lambda text: to_stderr(text, color=session.color))
        return mine_and_smelt(request, services.toolbox, services.sources, reporter)


def _request(session: Session, description: Description, *, discard_edits: bool, time: int) -> ForgeRequest:
    from cluster_forge.stages.build.forge import ForgeRequest

    return ForgeRequest(
        stack=description.stack,
        lock=description.lock,
        time=time,
        notices=description.notices,
        allow=frozenset(session.findings.allow),
        discard_edits=discard_edits,
        ignore_cache=session.rendering.no_cache,
        command=session.selecting_command,
    )
