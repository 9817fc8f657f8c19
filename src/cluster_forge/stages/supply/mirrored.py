"""mirror create and mirror verify: a copy of everything that a stack is made from, which `--mirror` reads."""

from __future__ import annotations

from dataclasses import dataclass

from cluster_forge.foundation.names import counted
from cluster_forge.ports.mirrors import MirrorCheck, MirrorWriter
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stages.build import locking
from cluster_forge.stages.build.component_sources import stored_content
from cluster_forge.stages.supply.locked_stack import LockedStack
from cluster_forge.stages.toolbox import Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorResult:
    """The sources that the mirror has now, sorted, and those that were added."""

    sources: tuple[LockedSource, ...]
    added: frozenset[LockedSource]


def create(
    stack: LockedStack, mirror: MirrorWriter, toolbox: Toolbox, sources: Sources, reporter: Reporter
) -> MirrorResult:
    """Copy every source of the stack into the mirror, as locked; what the store lacks is fetched.

    Raises:
        LockError, FetchError, OfflineError, ArchiveError, ExceptionGroup: for each source that is not locked, or cannot be
            fetched as locked. The mirror is unchanged then.
        WorkspaceError: if the mirror cannot be written.
    """
    locked = stack.sources()
    reporter.stage_started("mirror", len(locked))

    def fetch(entry: LockedSource) -> None:
        source = locked[entry][0]
        reporter.item_started("mirror", source.component.name)
        locking.fetch_source(source, entry, sources)
        reporter.item_finished("mirror", source.component.name, entry.title)

    toolbox.fetchers.map(fetch, locked)
    added = mirror.write(tuple(locked), lambda entry: stored_content(locked[entry][0].component, entry, toolbox.store))
    reporter.stage_finished("mirror", f"{counted(len(locked), 'source')}, {len(added)} added")
    return MirrorResult(sources=tuple(locked), added=frozenset(added))


def verify(stack: LockedStack, mirror: MirrorWriter) -> MirrorCheck:
    """Check the files of the mirror, and that every source of the stack is in it as locked.

    Raises:
        LockError, ExceptionGroup: for each source that is not locked.
        FetchError, ExceptionGroup: if the mirror's index cannot be read.
    """
    return mirror.check(tuple(stack.sources()))
