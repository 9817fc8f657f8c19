"""A stack with its lock: what `lock`, `mirror` and `outdated` work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cluster_forge.foundation.error_groups import gathered
from cluster_forge.ports.sources import Sources, fetch_catalog
from cluster_forge.stack import catalog_addresses
from cluster_forge.stack.lock import Lock, LockedSource
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import locking
from cluster_forge.stages.build.casting import base_image
from cluster_forge.stages.build.locking import Source

Fetch = Callable[[Sources], LockedSource]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedSource:
    """A locked source, who uses it (components, `image.base`, or `catalogs`), and how it is fetched as locked."""

    locked: LockedSource
    users: tuple[str, ...]
    fetch: Fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedStack:
    """A stack and its lock."""

    stack: Stack
    lock: Lock

    def sources(self) -> tuple[UsedSource, ...]:
        """What is fetched for the stack, as locked, what its charts depend on too: sorted and once each.

        Raises:
            LockError, ExceptionGroup: for each source that is not in the lock.
        """
        described = locking.fetched_sources(self.stack) + locking.locked_dependencies(self.stack, self.lock)
        calls: list[Callable[[], UsedSource | None]] = [partial(self._of_component, source) for source in described]
        used = [source for source in gathered([*calls, self._base]) if source]
        used += map(_of_catalog, self.lock.catalogs)
        users: dict[LockedSource, list[str]] = {}
        for source in used:
            users.setdefault(source.locked, []).extend(source.users)
        first = {source.locked: source for source in reversed(used)}
        return tuple(
            UsedSource(locked=locked, users=tuple(dict.fromkeys(users[locked])), fetch=first[locked].fetch)
            for locked in sorted(first)
        )

    def _of_component(self, source: Source) -> UsedSource:
        locked = locking.locked_as(source, self.lock)

        def fetch(sources: Sources) -> LockedSource:
            return locking.fetch_source(source, locked, sources)

        return UsedSource(locked=locked, users=(source.component.name,), fetch=fetch)

    def _base(self) -> UsedSource | None:
        """The base of the stack's image, if it has one."""
        reference, locked = self.stack.image.base, base_image.look_up(self.stack, self.lock)
        if reference is None or locked is None:
            return None
        fetch = partial(base_image.fetch_as, reference, self.stack, locked)
        return UsedSource(locked=locked, users=(base_image.ITEM,), fetch=fetch)


def _of_catalog(locked: LockedSource) -> UsedSource:
    """A catalog in Git or a registry."""
    address = str(catalog_addresses.of_lock(locked.address, locked.asked))
    return UsedSource(locked=locked, users=("catalogs",), fetch=lambda sources: fetch_catalog(sources, address, locked))
