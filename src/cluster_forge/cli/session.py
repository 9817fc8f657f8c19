"""The options that verbs have in common, and what a verb works with once they are read."""

from __future__ import annotations

import functools
import os
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cluster_forge.adapters.stack_files import WorkspaceFiles
    from cluster_forge.manifests.finding import Finding
    from cluster_forge.ports import Reporter
    from cluster_forge.wiring import Workshop

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What of the description is meant: names, lists of names, what to leave out, and the environment."""

    names: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    environment: str | None = None
    allow: frozenset[str] = frozenset()


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
    selection: Selection = Selection()
    began: float = field(default_factory=time.monotonic)

    def workshop(self, *, offline: bool = False) -> Workshop:
        """The adapters for these options; ``offline`` for a verb that never fetches."""
        from cluster_forge import wiring

        settings = wiring.Settings(
            workspace=self.workspace,
            store=self.store,
            mirrors=self.mirrors,
            offline=self.offline or offline,
            jobs=self.jobs,
            engine=self.engine,
        )
        return wiring.workshop(settings)

    def files(self) -> WorkspaceFiles:
        """The workspace alone, for a verb that needs no more."""
        from cluster_forge import wiring

        return wiring.workspace_files(self.workspace)

    def reporter(self) -> Reporter:
        from cluster_forge.cli.console import LineReporter

        return LineReporter(self.verbosity)

    def say(self, text: str) -> None:
        """A result for people: on stdout, or nowhere where stdout is for JSON or nothing is wanted."""
        if not self.as_json and self.verbosity > 0:
            click.echo(text)

    def line(self, verb: str) -> str:
        """What to type for a verb in this workspace."""
        place = "" if self.workspace == Path() else f"-C {shlex.quote(str(self.workspace))} "
        return f"cluster-forge {place}{verb}"

    def answer(self, command: str, **content: Any) -> None:
        """The one JSON document of the call."""
        if self.as_json:
            import orjson

            seconds = round(time.monotonic() - self.began, 3)
            options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
            click.echo(orjson.dumps({"command": command, **content, "seconds": seconds}, option=options).decode())


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
    """Make a function a verb: it gets a `Session` first, and then its own options."""
    chosen = [*_COMMON]
    chosen += _SOURCES if sources else ()
    chosen += _NETWORK if network else ()
    chosen += (_SELECTION if names else _SELECTION[1:]) if selection else ()

    def decorate(function: Callable[..., Any]) -> click.Command:
        @click.pass_context
        @functools.wraps(function)
        def call(context: click.Context, /, **options: Any) -> Any:
            return function(_session(context, options), **options)

        decorated: Callable[..., Any] = call
        for option in reversed(chosen):
            decorated = option(decorated)
        return click.command(help=summary, epilog=function.__doc__)(decorated)

    return decorate


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
        store=options.pop("store", None),
        engine=options.pop("helm_engine", "auto"),
        mirrors=options.pop("mirror", ()),
        offline=options.pop("offline", False),
        selection=Selection(
            names=options.pop("names", ()),
            select=options.pop("select", ()),
            skip=options.pop("skip", ()),
            environment=options.pop("environment", None),
            allow=frozenset(options.pop("allow", ())),
        ),
    )


def _defaults(context: click.Context, name: str | None) -> str | None:
    """Make an options file the defaults of this call: `verb: {option: value}`, or `option: value` for every verb."""
    if not name:
        return name
    from cluster_forge.cli import options_file

    context.default_map = options_file.defaults(name, Path(context.find_root().obj), context)
    return name
