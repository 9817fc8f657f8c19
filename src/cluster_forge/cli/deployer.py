"""Who deploys what: the words that `deploy.sh` writes into the cluster, and the objects that another client applies."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from cluster_forge.cli.session import Session
    from cluster_forge.foundation.errors import ForgeError
    from cluster_forge.manifests.finding import Finding
    from cluster_forge.manifests.part import Part
    from cluster_forge.ports.progress import DeliveryReporter
    from cluster_forge.stages.deliver.deployment import Deployment
    from cluster_forge.stages.deliver.tools import DeliverTools


def run() -> str:
    """This run, as HOST/PROCESS/TIME."""
    return f"{platform.node()}/{os.getpid()}/{int(time.time())}"


def parts(session: Session, chosen: Deployment, tools: DeliverTools) -> tuple[Part, ...]:
    """The components with their objects, where a GitOps engine applies them; none where the steps of the plan have them.

    Raises:
        StaleError, RepositoryError: if the repository beside the plan is missing or damaged.
    """
    from cluster_forge import composition
    from cluster_forge.gitops.delivery_mode import Delivery
    from cluster_forge.stages.deliver import deployment

    if chosen.plan.delivery is Delivery.DIRECT:
        return ()
    repositories = composition.repositories(session.settings())
    return deployment.parts(chosen, tools.files, repositories, tools.reader.read)


def confirm(session: Session, question: str) -> None:
    """Ask on a terminal.

    Raises:
        Abort: without a yes.
    """
    from cluster_forge.cli.prompts import questions

    if questions.may_ask(session):
        click.confirm(question, default=False, abort=True, err=True)


class Noted:
    """`DeliveryReporter` that passes everything on, and notes which items have begun, and which are done."""

    def __init__(self, inner: DeliveryReporter) -> None:
        self._inner = inner
        self._begun: dict[str, None] = {}
        self._done: dict[str, None] = {}

    def stage_started(self, stage: str, total: int) -> None:
        self._inner.stage_started(stage, total)

    def item_started(self, stage: str, item: str) -> None:
        self._begun[_place(stage, item)] = None
        self._inner.item_started(stage, item)

    def item_waiting(self, stage: str, item: str, reason: str) -> None:
        self._inner.item_waiting(stage, item, reason)

    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None:
        self._done[_place(stage, item)] = None
        self._inner.item_finished(stage, item, detail, **facts)

    def stage_finished(self, stage: str, summary: str) -> None:
        self._inner.stage_finished(stage, summary)

    def finding_reported(self, finding: Finding) -> None:
        self._inner.finding_reported(finding)

    def text(self) -> str:
        """``done: cert-manager, loki; begun: grafana``; empty where nothing has begun."""
        begun = [place for place in self._begun if place not in self._done]
        return "; ".join(
            f"{state}: {', '.join(places)}"
            for state, places in (("done", list(self._done)), ("begun", begun))
            if places
        )


def _place(stage: str, item: str) -> str:
    """The item, with the cluster where there are several."""
    cluster = stage.partition(" ")[2]
    return f"{item} ({cluster})" if cluster else item


def engines(chosen: Deployment) -> set[str]:
    """The GitOps engine that applies the objects, as it is called; nothing where this process does."""
    from cluster_forge.gitops.delivery_mode import TITLES, Delivery

    return set() if chosen.plan.delivery is Delivery.DIRECT else {TITLES[chosen.plan.engine]}


@contextlib.contextmanager
def going_on(again: str, noted: Noted | None = None, engines: Collection[str] = ()) -> Iterator[None]:
    """If the user stops what changes a cluster, have `app` print what was done, and what to type to go on. ``engines`` are those
    that do not stop with this process, in words; they may be added meanwhile.

    They are notes of the exception: what is printed here would go with the live display, which is still open.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        if noted and (text := noted.text()):
            stop.add_note(text)
        if engines:
            names = " and ".join(sorted(engines))
            stop.add_note(f"{names} goes on without this command, with what it was given")
        stop.add_note(f"stopped: what was changed so far stays; to go on: {again}")
        raise


def concluded(session: Session, errors: Sequence[ForgeError], reasons: Iterable[str]) -> int:
    """The exit code. ``reasons`` are printed where the tables that have them are not.

    Raises:
        ForgeError, ExceptionGroup: ``errors``; with ``--format json`` they are printed, as stdout has its result already.
    """
    from cluster_forge.cli.output.streams import to_stderr
    from cluster_forge.foundation.error_groups import raise_all

    if not errors:
        return 0
    if not session.prints_results:
        for line in reasons:
            to_stderr(line, color=session.color)
    if not session.output.is_json:
        raise_all(errors)
    for error in errors:
        session.print_problem(error)
    return errors[0].exit_code
