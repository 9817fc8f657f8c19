"""Lines on stdout and stderr: the only module that writes to them.

Everything is made safe to show first (`terminal_text`). A closed stream never stops the work: what is still to do is done.
"""

from __future__ import annotations

import contextlib
import sys

import click

from cluster_forge.cli import termination
from cluster_forge.cli.output.terminal_text import printable, shown


def to_stdout(text: str) -> None:
    """Print a result."""
    try:
        click.echo(shown(text))
    except BrokenPipeError:  # `| head -1` has closed it
        termination.flush(sys.stdout)


def to_stderr(text: str, *, color: bool | None = None) -> None:
    """Print a message; ``color`` None: colors if stderr is a terminal."""
    with contextlib.suppress(OSError):
        click.echo(shown(text), err=True, color=color)


def write_stdout(text: str) -> None:
    """Write a document that is the user's own, credentials included; a closed stdout ends the program (`app.run`)."""
    click.echo(printable(text), nl=False)
