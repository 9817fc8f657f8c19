"""Long results on a terminal, through the user's pager, as Git shows them (git-config, ``core.pager``).

``PAGER`` names it; without that it is less, with ``-FRX`` unless ``LESS`` says otherwise: a short text is printed and less ends,
colors are shown, and the text stays on the screen. ``PAGER=cat`` or an empty one: no pager.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from typing import Final

from cluster_forge.cli.output.streams import to_stdout
from cluster_forge.cli.output.terminal_text import shown

_DEFAULT: Final = "less"
_OPTIONS: Final = {"LESS": "FRX", "LV": "-c"}


def print_paged(lines: Iterable[str], *, color: bool | None) -> None:
    """Print the lines, through a pager if stdout is a terminal; ``color`` False: without colors."""
    pager = _pager()
    text = "".join(f"{shown(line)}\n" for line in lines)
    if pager is None or not _through(pager, text if color is not False else _plain(text)):
        to_stdout_lines(text)


def to_stdout_lines(text: str) -> None:
    """Print a text that is safe to show."""
    from cluster_forge.cli.output.terminal_text import Styled

    if text:
        to_stdout(Styled(text.removesuffix("\n")))


def _pager() -> str | None:
    """The command line of the pager; None: no terminal, or no pager is wanted."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return None
    command = os.environ.get("PAGER", _DEFAULT).strip()
    if command in ("", "cat") or (command == _DEFAULT and shutil.which(_DEFAULT) is None):
        return None
    return command


def _through(pager: str, text: str) -> bool:
    """Show the text in the pager; False if it cannot be started. A pager that ends early has shown what was wanted."""
    environment = {**_OPTIONS, **os.environ}
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own program
            shlex.split(pager), stdin=subprocess.PIPE, env=environment, text=True, encoding="utf-8"
        )
    except (OSError, ValueError):
        return False
    try:
        process.communicate(text)
    except BrokenPipeError:
        process.wait()
    except KeyboardInterrupt:  # the pager handles Ctrl-C itself
        process.wait()
    return True


def _plain(text: str) -> str:
    import click

    return click.unstyle(text)
