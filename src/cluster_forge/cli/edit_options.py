"""The options of `smelt` and `forge` about hand edits in `working/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def edit_options(function: Function) -> Function:
    """Add them: ``discard_edits`` and ``merge``."""
    discard = click.option("--discard-edits", is_flag=True, help="Overwrite hand edits in working/.")
    merge = click.option(
        "--merge",
        type=click.Choice(("ours", "theirs", "ask")),
        help="Where a hand edit and a change are in conflict, keep the edit (ours), take the change (theirs), or ask.",
    )
    return discard(merge(function))
