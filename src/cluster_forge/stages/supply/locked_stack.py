"""A stack with its lock: what `lock verify`, `mirror` and `outdated` work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from cluster_forge.foundation.errors import gathered
from cluster_forge.stack.lock import Lock, LockedSource
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import locking
from cluster_forge.stages.build.locking import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedStack:
    """A stack and its lock."""

    stack: Stack
    lock: Lock

    def sources(self) -> Mapping[LockedSource, tuple[Source, ...]]:
        """What is fetched for the stack, as locked: sorted and once each, with the sources in the description.

        Raises:
            LockError, ExceptionGroup: for each source that is not in the lock.
        """
        described = locking.fetched_sources(self.stack)
        locked = gathered(partial(locking.locked_as, source, self.lock) for source in described)
        used: dict[LockedSource, list[Source]] = {entry: [] for entry in sorted(set(locked))}
        for entry, source in zip(locked, described, strict=True):
            used[entry].append(source)
        return {entry: tuple(sources) for entry, sources in used.items()}
