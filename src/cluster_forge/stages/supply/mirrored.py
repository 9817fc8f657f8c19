"""mirror create and mirror verify: a copy of everything that a stack is made from, which `--mirror` reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cluster_forge.foundation.errors import gathered
from cluster_forge.foundation.names import counted
from cluster_forge.ports.mirrors import MirrorCheck, MirrorFolder
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.stack.lock import Lock, LockedSource
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import locking
from cluster_forge.stages.build.component_sources import stored_content
from cluster_forge.stages.build.locking import Source
from cluster_forge.stages.toolbox import Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorRequest:
    """The stack and its lock."""

    stack: Stack
    lock: Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorResult:
    """The sources that the mirror has now, sorted, and those that were added."""

    sources: tuple[LockedSource, ...]
    added: frozenset[LockedSource]


def create(
    request: MirrorRequest, mirror: MirrorFolder, toolbox: Toolbox, sources: Sources, reporter: Reporter
) -> MirrorResult:
    """Copy every source of the stack into the mirror, as locked; what the store lacks is fetched.

    Raises:
        LockError, FetchError, OfflineError, ArchiveError, ExceptionGroup: for each source that is not locked, or cannot be
            fetched as locked. The mirror is unchanged then.
        WorkspaceError: if the mirror cannot be written.
    """
    locked = _locked(request)
    reporter.stage_started("mirror", len(locked))

    def fetch(item: tuple[LockedSource, Source]) -> None:
        entry, source = item
        reporter.item_started("mirror", source.component.name)
        locking.fetch_source(source, entry, sources)
        reporter.item_finished("mirror", source.component.name, f"{entry.address} {entry.version}".rstrip())

    toolbox.workers.map(fetch, locked.items())
    added = mirror.write(tuple(locked), lambda entry: stored_content(locked[entry].component, entry, toolbox.store))
    reporter.stage_finished("mirror", f"{counted(len(locked), 'source')}, {len(added)} added")
    return MirrorResult(sources=tuple(locked), added=frozenset(added))


def verify(request: MirrorRequest, mirror: MirrorFolder) -> MirrorCheck:
    """Check the files of the mirror, and that every source of the stack is in it as locked.

    Raises:
        LockError, ExceptionGroup: for each source that is not locked.
        FetchError, ExceptionGroup: if the mirror's index cannot be read.
    """
    return mirror.check(tuple(_locked(request)))


def _locked(request: MirrorRequest) -> dict[LockedSource, Source]:
    """What the lock has for the sources of the stack, sorted and once each, with the first source that it stands for."""
    described = locking.fetched_sources(request.stack)
    entries = gathered(partial(locking.locked_as, source, request.lock) for source in described)
    first: dict[LockedSource, Source] = {}
    for entry, source in zip(entries, described, strict=True):
        first.setdefault(entry, source)
    return dict(sorted(first.items(), key=lambda item: item[0]))
