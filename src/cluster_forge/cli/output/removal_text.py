"""The result of `remove`, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.foundation.names import counted

if TYPE_CHECKING:
    from cluster_forge.stages.deliver.removal.deletion import Deletion


class Planned(Protocol):
    """What would go."""

    @property
    def components(self) -> Sequence[str]:
        """Their names, in the order in which they go."""

    @property
    def objects(self) -> int:
        """The number of objects of all of them."""


def lines(planned: Planned, done: Deletion, what: str, *, is_trial: bool) -> Iterator[str]:
    """What was removed, or would be, and what stays."""
    if is_trial:
        yield f"would be removed, in this order: {', '.join(planned.components) or 'its objects'}"
    for target, reason in done.kept:
        yield f"  {'would stay' if is_trial else 'stays'}: {target}: {one_line(reason)}"
    count = counted(len(done.deleted), "object") if done.deleted else "nothing"
    yield f"{count} of {what} would be deleted; nothing was changed" if is_trial else f"{count} of {what} deleted"


def json(planned: Planned, done: Deletion) -> dict[str, Any]:
    return {
        "components": list(planned.components),
        "objects": planned.objects,
        "deleted": [str(target) for target in done.deleted],
        "kept": [{"object": str(target), "reason": reason} for target, reason in done.kept],
    }
