"""Whether questions may be asked, and the questions of `init` and `smelt` for components and collections.

A question is a shorter way to type: it results in names, and the command line with these is printed.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

import click

from cluster_forge.cli.output.streams import to_stderr
from cluster_forge.cli.session import Session

if TYPE_CHECKING:
    from cluster_forge.cli.prompts.choice import Choice, Row
    from cluster_forge.stack.name_scan import Names


def may_ask(session: Session) -> bool:
    """Whether this run is interactive, and questions are not turned off."""
    if session.run.yes or not session.prints_results or os.environ.get("TERM") == "dumb":
        return False
    if os.environ.get("CI", "").lower() not in ("", "0", "false", "no"):
        return False
    return all(_is_terminal(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)) and _is_in_foreground()


def must_confirm(session: Session, question: str) -> None:
    """Ask before what cannot be undone.

    Raises:
        UsageError: without a terminal, where nobody can be asked.
        Abort: if the answer is no.
    """
    if not may_ask(session):
        raise click.UsageError("nobody can be asked here: pass --yes")
    click.confirm(question, default=False, abort=True, err=True)


def components_to_smelt(session: Session) -> Session:
    """The session with the chosen names; unchanged if it has names, if questions are off, or if all were chosen."""
    selection = session.selection
    if selection.names or selection.select or selection.skip or not may_ask(session):
        return session
    from cluster_forge.catalog.name_index import NameIndex
    from cluster_forge.stack import name_scan

    names = name_scan.read(session.files().read, selection.environment, catalog=NameIndex())
    stack = names.resolved.stack
    if len(stack) < 2 or (selection.environment and selection.environment not in names.environments):
        return session  # nothing to choose from, or an error that smelt will report
    choice = _choice(names, stack, stack)
    _ask("Which components should be smelted?", choice)
    if set(choice.chosen) == set(stack):
        print_equivalent("--yes")
        return session
    print_equivalent(*choice.words)
    return replace(session, selection=replace(selection, names=choice.words))


def components_to_start_with(names: Names, remarks: Mapping[str, str], answers: Sequence[str]) -> tuple[str, ...]:
    """The components for a new workspace, chosen from all of the starter's, with what they require.

    ``answers`` are the options that earlier answers stand for.
    """
    resolved = names.resolved
    choice = _choice(names, names.components, resolved.stack, remarks, needs_are_kept=True)
    _ask("Which components should the stack have?", choice)
    if choice.chosen == resolved.stack:
        print_equivalent(*answers, "--yes")
    else:
        options = (("--collection" if word in resolved.collections else "--component", word) for word in choice.words)
        print_equivalent(*(part for option in options for part in option), *answers)
    return choice.chosen


def _choice(
    names: Names,
    components: tuple[str, ...],
    chosen: tuple[str, ...],
    remarks: Mapping[str, str] | None = None,
    *,
    needs_are_kept: bool = False,
) -> Choice:
    """Collections first, as shortcuts; without those that have components outside of the list."""
    from cluster_forge.cli.prompts import labels
    from cluster_forge.cli.prompts.choice import Choice, Row

    resolved = names.resolved
    collections = [
        Row(name=name, members=members, about=f"collection of {len(members)}", requires=_requires(names, members))
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
                requires=f"requires {', '.join(needs)}" if (needs := names.needs(name)) else "",
            )
            for name in components
        ),
    ]
    return Choice(rows, chosen, names.with_needs, needs_are_kept=needs_are_kept)


def _requires(names: Names, members: tuple[str, ...]) -> str:
    """A collection's components, and those that they require."""
    others = ", ".join(name for name in names.with_needs(members) if name not in members)
    return f"has {', '.join(members)}{f'; requires {others}' if others else ''}"


def _ask(question: str, choice: Choice) -> None:
    from cluster_forge.cli.prompts import multichoice

    multichoice.ask(question, choice, color=click.get_current_context().color)


def print_equivalent(*words: str) -> None:
    """Print the command line that does the same without questions."""
    to_stderr(f"without questions: {shlex.join(['cluster-forge', *sys.argv[1:], *words])}")


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _is_in_foreground() -> bool:
    """Whether the terminal sends keys to this process: reading them would stop a background job."""
    if not hasattr(os, "tcgetpgrp"):
        return True
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):  # the terminal belongs to another session
        return False
