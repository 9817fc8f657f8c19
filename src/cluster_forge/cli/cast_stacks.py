"""The cast stack that a verb works on: STACK on the command line, or the only one there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def chosen(stack: str | None, folders: Sequence[str], verb: str) -> str:
    """The folder below ``stacks/`` that ``verb`` works on; ``folders`` are those that hold a cast stack.

    Raises:
        UnknownNameError: if there is no such folder, or several to choose from.
        StaleError: if there is none at all.
    """
    from cluster_forge.foundation.errors import StaleError, UnknownNameError
    from cluster_forge.foundation.names import did_you_mean

    if not folders:
        raise StaleError("there is no cast stack below stacks/", fix="run `cluster-forge forge`")
    if stack is None and len(folders) > 1:
        raise UnknownNameError(
            f"several stacks are cast: {', '.join(folders)}", fix=f"name one: cluster-forge {verb} {folders[0]}"
        )
    name = stack or folders[0]
    if name not in folders:
        raise UnknownNameError(
            f"stacks/{name} is not a cast stack{did_you_mean(name, folders)}", fix="run `cluster-forge cast`"
        )
    return name
