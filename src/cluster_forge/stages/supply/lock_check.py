"""lock verify: every locked source, fetched again and compared with the lock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cluster_forge.foundation.errors import ForgeError, LockError, expected
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.ports.workers import Workers
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stages.build import locking
from cluster_forge.stages.supply.locked_stack import LockedStack

_STAGE: Final = "verify"


class SourceState(StrEnum):
    """Whether a source is as locked; ``unknown``: it cannot be fetched."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSource:
    """A locked source, the components that are made from it, and what is wrong with it."""

    locked: LockedSource
    components: tuple[ComponentName, ...]
    errors: tuple[ForgeError, ...] = ()

    @property
    def state(self) -> SourceState:
        if not self.errors:
            return SourceState.SAME
        differs = any(isinstance(error, LockError) for error in self.errors)
        return SourceState.DIFFERENT if differs else SourceState.UNKNOWN


def verify(stack: LockedStack, sources: Sources, workers: Workers, reporter: Reporter) -> tuple[CheckedSource, ...]:
    """Compare every source of the stack with the lock, once each; ``sources`` must not take it from a store.

    Raises:
        LockError, ExceptionGroup: for each source that is not in the lock.
    """
    used = stack.sources()

    def check(locked: LockedSource) -> CheckedSource:
        described = used[locked]
        name = described[0].component.name
        reporter.item_started(_STAGE, name)
        errors: list[ForgeError] = []
        try:
            locking.fetch_source(described[0], locked, sources)
        except (ForgeError, ExceptionGroup) as error:
            errors = expected(error)
        components = tuple(dict.fromkeys(source.component.name for source in described))
        checked = CheckedSource(locked=locked, components=components, errors=tuple(errors))
        reporter.item_finished(_STAGE, name, f"{locked.title}: {checked.state}")
        return checked

    reporter.stage_started(_STAGE, len(used))
    checked = workers.map(check, used)
    same = sum(source.state is SourceState.SAME for source in checked)
    reporter.stage_finished(_STAGE, f"{same} of {counted(len(checked), 'source')} as locked")
    return tuple(checked)
