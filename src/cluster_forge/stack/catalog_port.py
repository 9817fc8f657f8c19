"""The port to a catalog: components and collections that a description may name without defining them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.model import Notice, Target
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What surrounds the components of a stack: the target, the components of ``--skip``, the engine that it installs.

    ``engine`` is the capability that the engine's component provides, empty without one; ``where`` the engine is written.
    """

    target: Target = field(default_factory=Target)
    skipped: frozenset[str] = frozenset()
    engine: str = ""
    where: str = ""
    has_facts: bool = False
    """Whether the description asks for what components provide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedStack:
    """A stack and what its catalog components need; ``layers`` describe these in the description's format.

    ``provides`` are the capabilities of each catalog component, ``brought`` those of the target's distribution.
    """

    stack: tuple[str, ...]
    layers: Mapping[str, tuple[Positioned, ...]] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    errors: tuple[ForgeError, ...] = ()
    provides: Mapping[str, Collection[str]] = field(default_factory=dict)
    brought: frozenset[str] = frozenset()
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The attributes of each capability and of each catalog component of the stack, if the frame asks for them."""


class Catalog(Protocol):
    """Defines names that the description does not define."""

    def names(self) -> Collection[str]:
        """The components."""

    def collections(self) -> Mapping[str, Sequence[str]]:
        """The members of every collection."""

    def completed(self, stack: Mapping[str, str], own: Mapping[str, Positioned], frame: Frame) -> CompletedStack:
        """The stack with everything that its components and its engine need.

        ``stack`` has the position at which each component is named, ``own`` the description's layers of a component.
        """

    def extended(self, folders: Sequence[Positioned], files: InputFiles, errors: list[ForgeError]) -> Catalog:
        """This catalog with those in ``folders`` (relative to ``input/``) merged over it."""


class NoCatalog:
    """An empty `Catalog`."""

    def names(self) -> Collection[str]:
        return ()

    def collections(self) -> Mapping[str, Sequence[str]]:
        return {}

    def completed(
        self,
        stack: Mapping[str, str],
        own: Mapping[str, Positioned],  # noqa: ARG002 - the protocol's signature
        frame: Frame,  # noqa: ARG002
    ) -> CompletedStack:
        return CompletedStack(stack=tuple(stack))

    def extended(
        self,
        folders: Sequence[Positioned],  # noqa: ARG002
        files: InputFiles,  # noqa: ARG002
        errors: list[ForgeError],  # noqa: ARG002
    ) -> Self:
        return self
