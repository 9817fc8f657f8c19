"""What check is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.rendering.component_sources import ComponentSources
from cluster_forge.stages.build.way_out import CommandLine, plain_command


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """The whole stack with its locked sources, and the findings of reading the description.

    ``allow`` names codes of errors that count as warnings; ``ignore_cache`` computes what is known, too; ``command`` is
    for messages.
    """

    stack: Stack
    sources: Mapping[ComponentName, ComponentSources]
    lock: Lock
    notices: Sequence[Finding] = ()
    allow: frozenset[str] = frozenset()
    ignore_cache: bool = False
    command: CommandLine = plain_command
    value_places: Callable[[ComponentName], Mapping[tuple[str, ...], str]] | None = None
    """Where the values of a component are written (``file:line``, by their keys). With it the charts are rendered again."""
