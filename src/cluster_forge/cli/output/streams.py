"""Lines on stdout and stderr. A closed stream never stops the work: what is still to do is done."""

from __future__ import annotations

import contextlib
import sys

import click

from cluster_forge.cli import termination


def to_stdout(text: str) -> None:
    """Print a result."""
    try:
        click.echo(text)
    except BrokenPipeError:  # `| head -1` has closed it
        termination.flush(sys.stdout)


def to_stderr(text: str, *, color: bool | None = None) -> None:
    """Print a message; ``color`` None: colors if stderr is a terminal."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True, color=color)


def write_stdout(text: str) -> None:
    """Write a document as it is; a closed stdout ends the program (`app.run`)."""
    click.echo(text, nl=False)
