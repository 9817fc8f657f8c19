"""`verb`: a function becomes a verb of the command line, with the option groups that it names."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import click

from cluster_forge.cli import arguments, click_options, fixes, help_page
from cluster_forge.cli.options import JSON_LINES, FindingOptions, OutputOptions, RecordOptions, RunOptions
from cluster_forge.cli.session import GROUPS, Session
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

Decorator = Callable[[Callable[..., Any]], click.Command]
Groups = tuple[type, ...]

BUILDS: Final[Groups] = (StoreOptions, RenderOptions, RecordOptions)
"""A verb that works on sources or objects."""
CONNECTS: Final[Groups] = (NetworkOptions,)
"""A verb that may use the network."""
FETCHES: Final[Groups] = (MirrorOptions, *CONNECTS)
"""A verb that may fetch sources."""
DELIVERS: Final[Groups] = (ClusterOptions,)
"""A verb that works on a cluster."""
DESCRIBES: Final[Groups] = (VariableOptions,)
"""A verb that reads the description."""
ON_MANY: Final[Groups] = (ContextOptions, FleetOptions, *DESCRIBES)
"""A verb that works on one cluster, or on several."""
SELECTS: Final[Groups] = (Selection, *DESCRIBES, FindingOptions)
"""A verb for a part of the stack."""
_COMMON: Final[Groups] = (RunOptions, OutputOptions)


def verb(*groups: type, formats: Mapping[str, str] = MappingProxyType({}), streams: bool = False) -> Decorator:
    """Make a function a verb: it gets a `Session` first, then its own options. Its docstring is the help text.

    A verb with `RecordOptions` leaves a log of each run in the workspace. ``formats`` are those of ``--format`` that only
    this verb has, each with what it is for. ``streams``: its JSON is a line for each event, and one for the result.
    """
    chosen = tuple(group for group in GROUPS if group in {*groups, *_COMMON})

    def decorate(function: Callable[..., Any]) -> click.Command:
        @click.pass_context
        @functools.wraps(function)
        def call(context: click.Context, /, **values: Any) -> Any:
            click_options.refuse_empty(context)
            session = _session(context, chosen, values, streams=streams)

            def work(session: Session) -> Any:
                with contextlib.nullcontext() if MirrorOptions in chosen else fixes.without_mirrors():
                    return function(session, **values)

            return _recorded(session, context.info_name or "", work) if RecordOptions in chosen else work(session)

        command = click.command(cls=help_page.HelpCommand)(call)
        command.params += [parameter for group in chosen for parameter in click_options.parameters(group)]
        click_options.add_choices(command, "format", formats)
        if streams:
            click_options.reword(command, "format", *JSON_LINES)
        command.params.append(_options_file())
        help_page.describe(command, function.__doc__ or "")
        return command

    return decorate


def _session(context: click.Context, groups: Groups, values: dict[str, Any], *, streams: bool) -> Session:
    """Take the options of the groups out of ``values``."""
    values.pop("options")
    taken: dict[str, Any] = {GROUPS[group]: click_options.taken(group, values) for group in groups}
    if "contexts" in taken:
        taken["cluster"] = taken["contexts"].first
    if "variables" in taken and taken["variables"] != VariableOptions():
        from cluster_forge.cli import variable_files

        given = variable_files.given(taken["variables"])
        taken["selection"] = replace(taken.get("selection", Selection()), given=given)
    if taken["output"].no_color or os.environ.get("NO_COLOR"):
        context.color = False
    return Session(
        workspace=Path(context.find_root().obj),
        color=context.color,
        arguments=arguments.typed(context),
        streams=streams,
        **taken,
    )


def _recorded(session: Session, name: str, work: Callable[[Session], Any]) -> Any:
    """Run a verb's work and record it, however it ends; print the timings if they are wanted."""
    from cluster_forge.cli.output import error_text
    from cluster_forge.cli.output.streams import to_stderr
    from cluster_forge.cli.run_record import RunRecord

    run_record = RunRecord(session.workspace, name, session.arguments, began=session.began)
    try:
        code = work(replace(session, run_record=run_record))
    except BrokenPipeError as error:  # not stdout's: `to_stdout` handles that; click would exit with 0
        run_record.end(*error_text.outcome(error))
        raise RuntimeError("a pipe broke") from error
    except BaseException as error:
        run_record.end(*error_text.outcome(error))
        raise
    run_record.end(code if isinstance(code, int) else 0)
    if session.record.timings and session.prints_results:
        for line in run_record.timings.lines(run_record.seconds):
            to_stderr(line)
    if run_record.problem and session.output.verbosity > 1:
        to_stderr(run_record.problem)
    return code


def _options_file() -> click.Option:
    """``--options``: read before the other options, whose defaults it sets."""
    option = click_options.GroupedOption(
        ["--options"],
        metavar="FILE|NAME",
        is_eager=True,
        callback=lambda context, _, name: _set_defaults(context, name),
        help="Read defaults for options from a file, or from options/<NAME>.yaml.",
    )
    option.heading = click_options.heading(RunOptions)
    return option


def _set_defaults(context: click.Context, name: str | None) -> str | None:
    if not name:
        return name
    from cluster_forge.cli import options_file

    context.default_map = options_file.defaults(name, Path(context.find_root().obj), context)
    return name
