"""What a description may name without describing it: the port to whoever has a catalog."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack.input_files import Files
from cluster_forge.stack.model import Notice, Target
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A stack with what its components of the catalog need; ``layers`` describe these in the description's own format."""

    stack: tuple[str, ...]
    layers: Mapping[str, tuple[Positioned, ...]] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    errors: tuple[ForgeError, ...] = ()


class Catalog(Protocol):
    """What names may stand for that the description does not define."""

    def names(self) -> Collection[str]:
        """Its components."""

    def collections(self) -> Mapping[str, Sequence[str]]:
        """The members of its collections."""

    def completed(
        self, stack: Mapping[str, str], own: Mapping[str, Positioned], target: Target, skipped: frozenset[str]
    ) -> Completed:
        """The stack with all that its components need.

        ``stack`` has where each is named, ``own`` what the description itself says of a component.
        """

    def extended(self, folders: Sequence[Positioned], files: Files, errors: list[ForgeError]) -> Catalog:
        """The same catalog with those in ``folders`` (relative to ``input/``) laid over it."""


class NoCatalog:
    """`Catalog` that has nothing."""

    def names(self) -> Collection[str]:
        return ()

    def collections(self) -> Mapping[str, Sequence[str]]:
        return {}

    def completed(
        self,
        stack: Mapping[str, str],
        own: Mapping[str, Positioned],  # noqa: ARG002 - the protocol's signature
        target: Target,  # noqa: ARG002
        skipped: frozenset[str],  # noqa: ARG002
    ) -> Completed:
        return Completed(stack=tuple(stack))

    def extended(
        self,
        folders: Sequence[Positioned],  # noqa: ARG002
        files: Files,  # noqa: ARG002
        errors: list[ForgeError],  # noqa: ARG002
    ) -> Self:
        return self
