"""The options that verbs have in common, and what a verb works with once they are read."""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli import arguments
from cluster_forge.stack.selection import Selection

if TYPE_CHECKING:
    from cluster_forge.adapters.workspace import WorkspaceFiles
    from cluster_forge.cli.run_record import Journal
    from cluster_forge.composition import Services
    from cluster_forge.manifests.finding import Finding
    from cluster_forge.ports.progress import Reporter

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One call of a verb: its common options, read."""

    workspace: Path
    as_json: bool
    verbosity: int
    jobs: int
    assume_yes: bool
    store: str | None = None
    mirrors: tuple[str, ...] = ()
    offline: bool = False
    engine: str = "auto"
    is_cached: bool = True
    render_seconds: float = 60
    render_memory: int = 2048
    selection: Selection = field(default_factory=Selection)
    allow: frozenset[str] = frozenset()
    """Codes of error findings that pass."""
    color: bool | None = None
    arguments: tuple[str, ...] = ()
    journal: Journal | None = None
    wants_timings: bool = False
    began: float = field(default_factory=time.monotonic)

    def services(self, *, offline: bool = False, makes: bool = True) -> Services:
        """The adapters for these options; ``offline`` for a verb that never fetches, ``makes`` for one that makes objects."""
        from cluster_forge import composition
        from cluster_forge.record import RECORD

        settings = composition.Settings(
            workspace=self.workspace,
            store=self.store,
            mirrors=self.mirrors,
            offline=self.offline or offline,
            jobs=self.jobs,
            engine=self.engine,
            is_cached=self.is_cached,
            seconds=self.render_seconds,
            memory=self.render_memory,
            is_ahead=makes and not (self.workspace / RECORD).exists(),
        )
        return composition.services(settings)

    def files(self) -> WorkspaceFiles:
        """The workspace alone, for a verb that needs no more."""
        from cluster_forge import composition

        return composition.workspace_files(self.workspace)

    @contextlib.contextmanager
    def reporting(self, *stages: str) -> Iterator[Reporter]:
        """Whom the stages of this call tell; on a terminal with a live display until they are done."""
        from cluster_forge.cli.progress import console
        from cluster_forge.cli.progress.recording import Recorded

        with console.reporting(stages, verbosity=self.verbosity, color=self.color, began=time.monotonic()) as reporter:
            yield Recorded(reporter, self.journal.add, began=self.began) if self.journal else reporter

    def say(self, text: str) -> None:
        """A result for people: on stdout, or nowhere where stdout is for JSON or nothing is wanted."""
        if not self.as_json and self.verbosity > 0:
            _print(text)

    def line(self, verb: str) -> str:
        """What to type for a verb in this workspace."""
        place = "" if self.workspace == Path() else f"-C {shlex.quote(str(self.workspace))} "
        return f"cluster-forge {place}{verb}"

    def answer(self, command: str, **content: Any) -> None:
        """The one JSON document of the call."""
        if self.as_json:
            import orjson

            seconds = round(time.monotonic() - self.began, 3)
            if self.wants_timings and self.journal:
                content["timings"] = self.journal.timings.json()
            options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
            _print(orjson.dumps({"command": command, **content, "seconds": seconds}, option=options).decode())


def _print(text: str) -> None:
    """On stdout. Whoever closes it has seen enough (`| head -1`): what the run still has to do is done all the same."""
    from cluster_forge.cli import termination

    try:
        click.echo(text)
    except BrokenPipeError:
        termination.flush(sys.stdout)


def finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "component": finding.component,
        "object": str(finding.object) if finding.object else None,
        "where": finding.where,
        "message": finding.message,
        "fix": finding.fix,
    }


def _known_codes(context: click.Context, parameter: click.Parameter, codes: tuple[str, ...]) -> tuple[str, ...]:
    """The codes that ``--allow`` names; one that there is not would let nothing pass, and nobody would notice."""
    from cluster_forge.foundation.names import did_you_mean
    from cluster_forge.manifests.finding import CODES

    for code in codes:
        if code not in CODES:
            raise click.BadParameter(f"no finding has the code {code!r}{did_you_mean(code, CODES)}", context, parameter)
    return codes


_COMMON: Sequence[Decorator] = (
    click.option("--format", type=click.Choice(["text", "json"]), default="text", help="json: one document on stdout."),
    click.option("-q", "--quiet", is_flag=True, help="Only errors."),
    click.option("-v", "--verbose", is_flag=True, help="Notices too."),
    click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        default=os.cpu_count() or 1,
        help="How much to do at once.",
        show_default="cores",
    ),
    click.option("--no-color", is_flag=True, help="No colours (NO_COLOR does the same)."),
    click.option(
        "--options",
        metavar="FILE|NAME",
        is_eager=True,
        callback=lambda context, _, name: _defaults(context, name),
        help="Defaults for options: a file, or options/<NAME>.yaml.",
    ),
    click.option("--yes", is_flag=True, help="Never ask."),
)
_SOURCES: Sequence[Decorator] = (
    click.option("--store", metavar="DIR", help="The content-addressed store (default: the user's cache)."),
    click.option(
        "--helm-engine",
        type=click.Choice(["auto", "sdk", "helm"]),
        default="auto",
        help="Helm's library, or the helm program.",
    ),
    click.option("--no-cache", is_flag=True, help="Make everything anew: the result is the same."),
    click.option(
        "--render-seconds",
        type=click.FloatRange(0.1, 3600),
        default=60,
        show_default=True,
        help="How long one chart may take.",
    ),
    click.option(
        "--render-memory",
        type=click.IntRange(256, 65536),
        default=2048,
        show_default=True,
        help="How many MiB one chart may take.",
    ),
)
_TIMINGS: Sequence[Decorator] = (
    click.option("--timings", "wants_timings", is_flag=True, help="Tell at the end where the time went."),
)
_NETWORK: Sequence[Decorator] = (
    click.option("--mirror", metavar="DIR", type=click.Path(), multiple=True, help="Look here first (repeatable)."),
    click.option("--offline", is_flag=True, help="Never open a socket."),
)
_SELECTION: Sequence[Decorator] = (
    click.argument("names", nargs=-1, metavar="[NAME]..."),
    click.option("--select", metavar="FILE", multiple=True, help="Read names from a list."),
    click.option("--skip", metavar="NAME", multiple=True, help="Leave a component or collection out."),
    click.option("--environment", metavar="NAME", help="Apply an environment of the description."),
    click.option(
        "--allow",
        metavar="CODE",
        multiple=True,
        help="Let this kind of error finding pass.",
        callback=_known_codes,
    ),
)


def verb(
    summary: str, *, sources: bool = False, network: bool = False, selection: bool = False, names: bool = True
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a verb: it gets a `Session` first, and then its own options.

    One that works with ``sources`` leaves a log of each run in the workspace.
    """
    chosen = [*_COMMON]
    chosen += (*_SOURCES, *_TIMINGS) if sources else ()
    chosen += _NETWORK if network else ()
    chosen += (_SELECTION if names else _SELECTION[1:]) if selection else ()

    def decorate(function: Callable[..., Any]) -> click.Command:
        @click.pass_context
        @functools.wraps(function)
        def call(context: click.Context, /, **options: Any) -> Any:
            wants_timings = options.pop("wants_timings", False)
            session = _session(context, options)
            if not sources:
                return function(session, **options)
            return _recorded(
                session,
                context.info_name or "",
                lambda recorded: function(recorded, **options),
                wants_timings=wants_timings,
            )

        decorated: Callable[..., Any] = call
        for option in reversed(chosen):
            decorated = option(decorated)
        return click.command(help=summary, epilog=function.__doc__)(decorated)

    return decorate


def _recorded(session: Session, verb: str, work: Callable[[Session], Any], *, wants_timings: bool) -> Any:
    """Do a verb's work and keep a record of it, whatever ends it; tell the timings to whoever wants them."""
    from cluster_forge.cli.output import error_text
    from cluster_forge.cli.run_record import Journal

    journal = Journal(session.workspace, verb, session.arguments, began=session.began)
    try:
        answer = work(replace(session, journal=journal, wants_timings=wants_timings))
    except BrokenPipeError as error:  # not ours: click would take it for a closed stdout, which `_print` dealt with
        journal.end(*error_text.outcome(error))
        raise RuntimeError("a pipe broke") from error
    except BaseException as error:
        journal.end(*error_text.outcome(error))
        raise
    journal.end(answer if isinstance(answer, int) else 0)
    if wants_timings and session.verbosity > 0 and not session.as_json:
        for line in journal.timings.lines(journal.seconds):
            error_text.tell(line)
    if journal.problem and session.verbosity > 1:
        error_text.tell(journal.problem)
    return answer


def _session(context: click.Context, options: dict[str, Any]) -> Session:
    """Take the common options out of ``options``."""
    as_json = options.pop("format") == "json"
    quiet, verbose = options.pop("quiet"), options.pop("verbose")
    options.pop("options")
    if options.pop("no_color") or os.environ.get("NO_COLOR"):
        context.color = False
    return Session(
        workspace=Path(context.find_root().obj),
        as_json=as_json,
        verbosity=0 if quiet else 2 if verbose else 1,
        jobs=options.pop("jobs"),
        assume_yes=options.pop("yes"),
        color=context.color,
        arguments=arguments.typed(context),
        store=options.pop("store", None),
        engine=options.pop("helm_engine", "auto"),
        is_cached=not options.pop("no_cache", False),
        render_seconds=options.pop("render_seconds", 60),
        render_memory=options.pop("render_memory", 2048),
        mirrors=options.pop("mirror", ()),
        offline=options.pop("offline", False),
        selection=Selection(
            names=options.pop("names", ()),
            select=options.pop("select", ()),
            skip=options.pop("skip", ()),
            environment=options.pop("environment", None),
        ),
        allow=frozenset(options.pop("allow", ())),
    )


def _defaults(context: click.Context, name: str | None) -> str | None:
    """Make an options file the defaults of this call: `verb: {option: value}`, or `option: value` for every verb."""
    if not name:
        return name
    from cluster_forge.cli import options_file

    context.default_map = options_file.defaults(name, Path(context.find_root().obj), context)
    return name
