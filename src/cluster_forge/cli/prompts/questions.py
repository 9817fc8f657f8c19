"""Whether somebody may be asked, and the questions of `init` and `smelt`: which components and collections.

A question is only ever a shorter way to type: it ends in names, and the line that gives them is printed.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

import click

from cluster_forge.cli.session import Session

if TYPE_CHECKING:
    from cluster_forge.cli.prompts.choice import Choice, Row
    from cluster_forge.stack.name_scan import Names
    from cluster_forge.stack.selection import Selection


def may_ask(session: Session) -> bool:
    """Whether somebody sits in front of this run and did not forbid questions."""
    if session.assume_yes or session.as_json or session.verbosity == 0 or os.environ.get("TERM") == "dumb":
        return False
    if os.environ.get("CI", "").lower() not in ("", "0", "false", "no"):
        return False
    return all(_is_terminal(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)) and _is_in_foreground()


def components_to_smelt(session: Session) -> Session:
    """The session with the names that were chosen; unchanged if it has some, nobody may be asked, or all were chosen."""
    selection = session.selection
    if selection.names or selection.select or selection.skip or not may_ask(session):
        return session
    from cluster_forge.catalog.name_index import NameIndex
    from cluster_forge.stack import name_scan

    found = name_scan.read(session.files().read, selection.environment, catalog=NameIndex())
    stack = found.resolved.stack
    if len(stack) < 2 or (selection.environment and selection.environment not in found.environments):
        return session  # nothing to choose from, or something to complain about
    made = _choice(found, stack, stack)
    _ask("Which components shall be smelted?", made)
    if set(made.chosen) == set(stack):
        tell_line("--yes")
        return session
    tell_line(*made.words())
    return replace(session, selection=replace(selection, names=made.words()))


def components_to_begin_with(found: Names, remarks: Mapping[str, str]) -> tuple[str, ...]:
    """The components that a new workspace shall have, chosen from all that there are; what they need is among them."""
    resolved = found.resolved
    made = _choice(found, found.components, resolved.stack, remarks, needs_are_kept=True)
    _ask("Which components shall the stack have?", made)
    if made.chosen == resolved.stack:
        tell_line("--yes")
    else:
        options = (("--collection" if word in resolved.collections else "--component", word) for word in made.words())
        tell_line(*(part for option in options for part in option))
    return made.chosen


def said_again(selection: Selection) -> str:
    """What to type after another verb, so that it means the same part of the stack; begins with a space or is empty."""
    parts = list(selection.names)
    for option, values in (("--select", selection.select), ("--skip", selection.skip)):
        parts += [part for value in values for part in (option, value)]
    if selection.environment:
        parts += ["--environment", selection.environment]
    return f" {shlex.join(parts)}" if parts else ""


def _choice(
    found: Names,
    components: tuple[str, ...],
    chosen: tuple[str, ...],
    remarks: Mapping[str, str] | None = None,
    *,
    needs_are_kept: bool = False,
) -> Choice:
    """Collections first: they are the short cuts. One that holds what cannot be chosen is none."""
    from cluster_forge.cli.prompts import labels
    from cluster_forge.cli.prompts.choice import Choice, Row

    resolved = found.resolved
    collections = [
        Row(name=name, members=members, about=f"collection of {len(members)}", pulls=_held(found, members))
        for name, members in resolved.collections.items()
        if members and set(members) <= set(components)
    ]
    rows: list[Row] = [
        *collections,
        *(
            Row(
                name=name,
                members=(name,),
                about=(remarks or {}).get(name) or labels.component(resolved.known[name].merged),
                pulls=f"needs {', '.join(needs)}" if (needs := found.needs(name)) else "",
            )
            for name in components
        ),
    ]
    return Choice(rows, chosen, found.with_needs, needs_are_kept=needs_are_kept)


def _held(found: Names, members: tuple[str, ...]) -> str:
    """A collection's components, and what they need besides."""
    more = [name for name in found.with_needs(members) if name not in members]
    needed = f"; needed: {', '.join(more)}" if more else ""
    return f"holds {', '.join(members)}{needed}"


def _ask(question: str, choice: Choice) -> None:
    from cluster_forge.cli.prompts import multichoice

    multichoice.ask(question, choice, color=click.get_current_context().color)


def tell_line(*words: str) -> None:
    """Tell how the same is said without a question."""
    click.echo(f"the same without a question: {shlex.join(['cluster-forge', *sys.argv[1:], *words])}", err=True)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False


def _is_in_foreground() -> bool:
    """Whether the terminal takes keys for this process: a job in the background would be stopped by asking."""
    if not hasattr(os, "tcgetpgrp"):
        return True
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):  # the terminal is another session's
        return False
