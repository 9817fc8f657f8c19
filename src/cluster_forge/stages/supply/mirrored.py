"""mirror create and mirror verify: a copy of everything that a stack is made from, which `--mirror` reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from cluster_forge.foundation.errors import LockError
from cluster_forge.foundation.names import counted
from cluster_forge.ports.mirrors import MirrorCheck, MirrorWriter
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.ports.storage import Store
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stages.supply.locked_stack import LockedStack, UsedSource
from cluster_forge.stages.toolbox import Toolbox

_STAGE: Final = "mirror"


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
    used = stack.sources()
    reporter.stage_started(_STAGE, len(used))

    def fetch(source: UsedSource) -> None:
        reporter.item_started(_STAGE, source.users[0])
        source.fetch(sources)
        reporter.item_finished(_STAGE, source.users[0], source.locked.title)

    toolbox.fetchers.map(fetch, used)
    locked = tuple(source.locked for source in used)
    added = mirror.write(locked, partial(_content, store=toolbox.store))
    reporter.stage_finished(_STAGE, f"{counted(len(locked), 'source')}, {len(added)} added")
    return MirrorResult(sources=locked, added=frozenset(added))


def verify(stack: LockedStack, mirror: MirrorWriter) -> MirrorCheck:
    """Check the files of the mirror, and that every source of the stack is in it as locked.

    Raises:
        LockError, ExceptionGroup: for each source that is not locked.
        FetchError, ExceptionGroup: if the mirror's index cannot be read.
    """
    return mirror.check(tuple(source.locked for source in stack.sources()))


def _content(locked: LockedSource, *, store: Store) -> bytes:
    """The bytes of a source that was fetched.

    Raises:
        LockError: if the store has lost them since.
    """
    content = store.get(locked.digest)
    if content is None:
        raise LockError(f"{locked.title} is not in the store any more", fix="run it again")
    return content
