"""What is locked: which bytes each component was made from, so that the same description gives the same stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName

FILE: Final = "cluster-forge.lock"
"""Where it lies in the workspace (`lock_file`)."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LockedSource:
    """A source and what it was when it was fetched.

    ``address`` is a URL, a repository with the chart's name after a blank, or a path relative to ``input/``; ``asked``
    the range that the description gives and ``version`` what it came to (both empty where there are no versions).
    """

    address: str
    asked: str = ""
    version: str = ""
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedComponent:
    """A component's sources, by address and range, and the fingerprint of what was rendered from them.

    ``asks`` are the API versions that its chart asks the cluster for (``*``: it may ask for any).
    """

    name: ComponentName
    sources: tuple[LockedSource, ...] = ()
    rendered: Digest | None = None
    required_apis: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", tuple(sorted(self.sources)))

    def source(self, address: str, asked: str = "") -> LockedSource | None:
        """What is locked for an address and a range."""
        return next((source for source in self.sources if (source.address, source.asked) == (address, asked)), None)


@dataclass(frozen=True, slots=True)
class Lock:
    """All components that are locked, by name."""

    components: Mapping[str, LockedComponent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "components", MappingProxyType(dict(sorted(self.components.items()))))

    def component(self, name: str) -> LockedComponent | None:
        return self.components.get(name)

    def source(self, component: str, address: str, asked: str = "") -> LockedSource | None:
        """What is locked for a component's source; None when it is not, or was for another range."""
        locked = self.components.get(component)
        return locked.source(address, asked) if locked else None

    def having(self, components: Iterable[LockedComponent]) -> Lock:
        """The same lock with these components, new or in place of their old entries."""
        return Lock({**self.components, **{component.name: component for component in components}})

    def only(self, names: Iterable[str]) -> Lock:
        """The same lock without every other component."""
        kept = set(names)
        return Lock({name: component for name, component in self.components.items() if name in kept})
