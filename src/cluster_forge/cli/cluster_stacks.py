"""The stack in a cluster that a verb works on: STACK on the command line, or the only one there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cluster_forge.ports.cluster import ClusterFacts


def chosen(stack: str | None, there: Sequence[str], facts: ClusterFacts, verb: str) -> str:
    """The stack that ``verb`` works on, of those that are ``there``; a folder's name stands for its stack (``a.production``).

    Raises:
        UnknownNameError: if there is none, or several to choose from, or another one.
    """
    from cluster_forge.foundation.errors import UnknownNameError
    from cluster_forge.foundation.names import did_you_mean

    if not there:
        raise UnknownNameError(
            f"no stack is deployed to {facts}", fix="run `cluster-forge deploy`, or choose another cluster: --context"
        )
    if stack is None and len(there) > 1:
        raise UnknownNameError(
            f"several stacks are deployed to {facts}: {', '.join(there)}",
            fix=f"name one: cluster-forge {verb} {there[0]}",
        )
    name = (stack or there[0]).partition(".")[0].partition("+")[0]
    if name not in there:
        raise UnknownNameError(
            f"the stack {name} is not deployed to {facts}{did_you_mean(name, there)}",
            fix=f"stacks there: {', '.join(there)}; or choose another cluster: --context",
        )
    return name
