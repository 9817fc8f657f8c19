"""What a verb works with: its options as groups, the services that they ask for, and how results are printed."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cluster_forge.cli.options import FindingOptions, OutputOptions, RecordOptions, RunOptions
from cluster_forge.cli.progress.transfer_relay import TransferRelay
from cluster_forge.service_options import (
    ClusterOptions,
    ContextOptions,
    FleetOptions,
    MirrorOptions,
    NetworkOptions,
    RenderOptions,
    StoreOptions,
)
from cluster_forge.stack.selection import Selection
from cluster_forge.stack.variables.options import VariableOptions

if TYPE_CHECKING:
    from cluster_forge.cli.audit_trail import AuditTrail
    from cluster_forge.cli.run_record import RunRecord
    from cluster_forge.composition import Services, Settings
    from cluster_forge.foundation.errors import ForgeError
    from cluster_forge.ports.cluster import Cluster
    from cluster_forge.ports.progress import DeliveryReporter
    from cluster_forge.ports.workspace import Workspace
    from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One call of a verb. A group of options that the verb does not take has its defaults."""

    workspace: Path
    selection: Selection = field(default_factory=Selection)
    variables: VariableOptions = field(default_factory=VariableOptions)
    findings: FindingOptions = field(default_factory=FindingOptions)
    mirrors: MirrorOptions = field(default_factory=MirrorOptions)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    store: StoreOptions = field(default_factory=StoreOptions)
    rendering: RenderOptions = field(default_factory=RenderOptions)
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    contexts: ContextOptions = field(default_factory=ContextOptions)
    fleet: FleetOptions = field(default_factory=FleetOptions)
    run: RunOptions = field(default_factory=RunOptions)
    output: OutputOptions = field(default_factory=OutputOptions)
    record: RecordOptions = field(default_factory=RecordOptions)
    color: bool | None = None
    """False: no colors; None: colors on a terminal."""
    arguments: tuple[str, ...] = ()
    """The command line as it was typed."""
    streams: bool = False
    """With ``--format json`` events and the result are a line each, not one document."""
    run_record: RunRecord | None = None
    began: float = field(default_factory=time.monotonic)
    transfers: TransferRelay = field(default_factory=TransferRelay)

    @property
    def is_on_many(self) -> bool:
        """Whether several clusters are meant: those of the description, or several contexts."""
        return self.fleet.is_used or len(self.contexts.contexts) > 1

    def services(self, *, offline: bool = False, renders: bool = True, refetches: bool = False) -> Services:
        """The adapters for these options; ``offline``: the verb never fetches; ``renders``: it probably renders;
        ``refetches``: it takes no source from the store.
        """
        from cluster_forge import composition
        from cluster_forge.record import RECORD

        settings = self.settings()
        return composition.services(
            replace(
                settings,
                network=replace(settings.network, offline=settings.network.offline or offline),
                refetches=refetches,
                starts_workers=renders and not (self.workspace / RECORD).exists(),
            )
        )

    def settings(self) -> Settings:
        """These options, for `composition`."""
        from cluster_forge import composition

        return composition.Settings(
            workspace=self.workspace,
            jobs=self.run.jobs,
            store=self.store,
            rendering=self.rendering,
            mirrors=self.mirrors,
            network=self.network,
            transfers=self.transfers,
        )

    def delivery(self, reporter: DeliveryReporter) -> DeliverTools:
        """What the stages that deliver work with, on the cluster of these options."""
        from cluster_forge import composition

        tools = composition.delivery(self.settings(), self.cluster, reporter)
        return replace(tools, history=self.audit_trail.change)

    @property
    def audit_trail(self) -> AuditTrail:
        """The history of the workspace."""
        from cluster_forge.cli.audit_trail import AuditTrail

        return AuditTrail(workspace=self.workspace, arguments=self.arguments, color=self.color)

    def reached(self) -> Cluster:
        """The cluster of these options alone, for a verb that only looks at it."""
        from cluster_forge import composition

        return composition.cluster(self.settings(), self.cluster)

    def files(self) -> Workspace:
        """The workspace alone, for a verb that needs no other service."""
        from cluster_forge import composition

        return composition.workspace_files(self.workspace)

    @contextlib.contextmanager
    def reporting(self, *stages: str) -> Iterator[DeliveryReporter]:
        """The reporter for the stages of this call; on a terminal with a live display until they are done. Where the call
        `streams`, each event is a line on stdout, unless ``--quiet`` is given.
        """
        from cluster_forge.cli.progress import console
        from cluster_forge.cli.progress.json_events import JsonEvents
        from cluster_forge.cli.progress.recording import Recorded

        verbosity = self.output.verbosity
        streams = self.streams and self.output.is_json and not self.output.quiet
        with console.reporting(
            stages, verbosity=verbosity, color=self.color, began=time.monotonic(), is_drawn=not streams
        ) as display:
            reporter = JsonEvents(display, self._print_line, began=self.began) if streams else display
            recorded = Recorded(reporter, self.run_record.add, began=self.began) if self.run_record else reporter
            with self.transfers.passed_to(recorded):
                yield recorded

    @property
    def prints_results(self) -> bool:
        """Whether results for people are printed: not with ``--format json`` or ``--quiet``."""
        return not self.output.is_json and not self.output.quiet

    def print(self, text: str) -> None:
        """Print a result for people on stdout, if these are printed."""
        if self.prints_results:
            from cluster_forge.cli.output.streams import to_stdout

            to_stdout(text)

    def print_problem(self, problem: ForgeError) -> None:
        """Print on stderr what a verb found, in the way of errors; the verb goes on."""
        from cluster_forge.cli.output import error_text
        from cluster_forge.cli.output.streams import to_stderr

        to_stderr(error_text.text(problem), color=self.color)

    def print_json(self, command: str, *, is_masked: bool = True, **content: Any) -> None:
        """Print the result of the call as JSON on stdout, if JSON is wanted; ``is_masked``: without credentials."""
        if self.output.is_json:
            from cluster_forge.foundation.addresses import masked_values

            seconds = round(time.monotonic() - self.began, 3)
            if self.record.timings and self.run_record:
                content["timings"] = self.run_record.timings.json()
            document = {"command": command, **content, "seconds": seconds}
            self._print_document(masked_values(document) if is_masked else document, is_line=self.streams)

    def _print_line(self, document: dict[str, Any]) -> None:
        from cluster_forge.foundation.addresses import masked_values

        self._print_document(masked_values(document), is_line=True)

    def _print_document(self, document: object, *, is_line: bool) -> None:
        import orjson

        from cluster_forge.cli.output.streams import to_stdout
        from cluster_forge.cli.output.terminal_text import Styled, printable

        options = orjson.OPT_SORT_KEYS if is_line else orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
        to_stdout(Styled(printable(orjson.dumps(document, option=options).decode())))

    def command_line(self, verb: str) -> str:
        """What to type for a verb in this workspace."""
        place = "" if self.workspace == Path() else f"-C {shlex.quote(str(self.workspace))} "
        return f"cluster-forge {place}{verb}"

    def cluster_command(self, verb: str, *names: str) -> str:
        """What to type for a verb in this workspace and on this cluster: another context may be current by then."""
        chosen = (("--context", self.cluster.context), ("--kubeconfig", self.cluster.kubeconfig))
        options = [word for option, value in chosen if value is not None for word in (option, value)]
        return self.command_line(" ".join([verb, *map(shlex.quote, (*names, *options))]))

    def fleet_command(self, verb: str, *names: str) -> str:
        """What to type for a verb in this workspace, but for the options that choose clusters by their names."""
        kubeconfig = self.contexts.kubeconfig
        options = () if kubeconfig is None else ("--kubeconfig", kubeconfig)
        return self.command_line(" ".join([verb, *map(shlex.quote, (*names, *options))]))

    def selecting_command(self, verb: str, selection: Sequence[str] | None = None, /) -> str:
        """What to type for a verb in this workspace, with this part of the stack and environment; None: those of this call."""
        parts = [*(self._selection_of_call() if selection is None else selection), *self._variables_of_call()]
        return self.command_line(" ".join([verb, *map(shlex.quote, parts)]))

    def _selection_of_call(self) -> list[str]:
        selection = self.selection
        parts = list(selection.names)
        for option, values in (("--select", selection.select), ("--skip", selection.skip)):
            parts += [part for value in values for part in (option, value)]
        if selection.environment:
            parts += ["--environment", selection.environment]
        return parts

    def _variables_of_call(self) -> list[str]:
        options = (("--vars-file", self.variables.vars_file), ("--set", self.variables.set))
        return [part for option, values in options for value in values for part in (option, value)]


def _groups() -> dict[type, str]:
    factories: dict[str, Any] = {entry.name: entry.default_factory for entry in fields(Session)}
    return {factory: name for name, factory in factories.items() if isinstance(factory, type) and is_dataclass(factory)}


GROUPS: Final[Mapping[type, str]] = _groups()
"""The field of a `Session` that holds each group of options, in the order in which help texts list them."""
