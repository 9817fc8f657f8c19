"""One change that a description declares, as a function from an object to what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cluster_forge.manifests.manifest import Manifest
from cluster_forge.patches.outcome import Outcome

Apply = Callable[[Manifest], Outcome | None]
"""Gives None for an object that the change does not concern. Raises PatchError for one that it does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredChange:
    """``key`` and ``name`` as the description has them, and its ``file:line``.

    ``is_required``: an object that it concerns must be there. ``is_single``: there must be one only. ``hint`` ends the message
    where there is none: what was most likely meant among objects; empty if nothing is like it. ``concerns``: whether an object
    of another component is meant. ``named``: what a patch with a target names beside it (``kind``, ``metadata.name``, …), which
    does not count. ``place``: the ``file:line`` of what changes a field, by its path; None where it is that of the change.
    """

    key: str
    where: str
    apply: Apply
    name: str = ""
    is_required: bool = False
    is_single: bool = False
    hint: Callable[[Sequence[Manifest]], str] = lambda _: ""
    concerns: Callable[[Manifest], bool] = lambda _: False
    named: Mapping[str, str] = field(default_factory=dict)
    place: Callable[[str], str] | None = None

    def __str__(self) -> str:
        """``labels: team``."""
        return f"{self.key}: {self.name}" if self.name else self.key
