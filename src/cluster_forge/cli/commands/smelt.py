"""smelt: the description, the lock and input/ rendered into working/."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cluster_forge.cli.edit_options import edit_options
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import BUILDS, SELECTS, verb
from cluster_forge.service_options import MirrorOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cluster_forge.composition import Services
    from cluster_forge.stages.build.hand_edits.file_merge import Decide
    from cluster_forge.stages.build.smelt import SmeltRequest, SmeltResult
    from cluster_forge.stages.describe.load_description import Description


@verb(*BUILDS, MirrorOptions, *SELECTS)
@edit_options
def command(session: Session, discard_edits: bool, merge: str | None) -> int:
    """Render working/ from the description, the lock and input/.

    Every object becomes one file. Nothing is fetched: run mine first, or forge; locked sources that the store lost come from
    a --mirror. A finding with the severity error leaves working/ as it was, and the exit code is 1. Hand edits in working/ are kept, and merged with what changed. On a
    terminal smelt asks which components to render, unless names or --yes are given.

    Examples:
        cluster-forge smelt --yes                # the whole stack
        cluster-forge smelt grafana loki         # these components only
        cluster-forge smelt --environment production
        cluster-forge smelt --merge ours         # hand edits win conflicts
    """
    from cluster_forge.cli import merging
    from cluster_forge.cli.description import load
    from cluster_forge.cli.output import result_json
    from cluster_forge.cli.prompts import questions
    from cluster_forge.stages.build.smelt import smelt

    session = questions.components_to_smelt(session)
    with session.services(offline=True) as services, services.files.locked():
        description = load(services, session.selection)
        if session.mirrors.mirror:
            _fetch_lost(session, services, description)
        request = _request(session, services, description, discard_edits=discard_edits)

        def run(decide: Decide) -> SmeltResult:
            with session.reporting("render", "smelt") as reporter:
                return smelt(replace(request, decide=decide), services.toolbox, reporter)

        smelted = merging.decided(session, merge, run, lambda result: result)
    for line in _summary(session, smelted):
        session.print(line)
    session.print_json("smelt", **result_json.smelted_json(description.stack, smelted))
    return 0 if smelted.is_written else 1


def _fetch_lost(session: Session, services: Services, description: Description) -> None:
    """Fetch from the mirrors what is locked and not in the store. What is not locked is an error, as without mirrors."""
    from cluster_forge.stages.build import locking

    components, lock = description.stack.components, description.lock
    locking.look_up(components, lock, services.sources)
    with session.reporting("mine") as reporter:
        locking.fetch(components, lock, services.sources, services.toolbox.workers, reporter)


def _request(session: Session, services: Services, description: Description, *, discard_edits: bool) -> SmeltRequest:
    from cluster_forge.stages.build import locking
    from cluster_forge.stages.build.smelt import SmeltRequest

    return SmeltRequest(
        stack=description.stack,
        sources=locking.look_up(description.stack.components, description.lock, services.sources),
        lock=description.lock,
        notices=description.notices,
        allow=frozenset(session.findings.allow),
        discard_edits=discard_edits,
        ignore_cache=session.rendering.no_cache,
        command=session.selecting_command,
    )


def _summary(session: Session, smelted: SmeltResult) -> Iterator[str]:
    """What changed in working/, and the command to run next."""
    from cluster_forge.cli.output import changes_text, edits_text
    from cluster_forge.cli.output.counts import finding_counts
    from cluster_forge.foundation.names import counted

    counts = finding_counts(smelted.findings, session.output.verbosity)
    if not smelted.is_written:
        yield f"working/ was not written: {counts}"
        return
    if not smelted.changes.is_first:
        yield changes_text.summary(smelted.changes, has_discarded=bool(smelted.discarded))
    yield from changes_text.lines(smelted.changes, is_whole=session.output.verbosity > 1)
    yield from edits_text.lines(smelted)
    following = session.selecting_command("cast")
    yield f"{counted(smelted.objects, 'object')} in working/{f' ({counts})' if counts else ''}; next: {following}"
