"""lock verify: every locked source, fetched again and compared with the lock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import ForgeError, LockError
from cluster_forge.foundation.names import counted
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.ports.workers import Workers
from cluster_forge.stages.supply.locked_stack import LockedStack, UsedSource

_STAGE: Final = "verify"


class SourceState(StrEnum):
    """Whether a source is as locked; ``unknown``: it cannot be fetched."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSource:
    """A locked source, and what is wrong with it."""

    source: UsedSource
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

    def check(source: UsedSource) -> CheckedSource:
        reporter.item_started(_STAGE, source.users[0])
        errors: list[ForgeError] = []
        try:
            source.fetch(sources)
        except (ForgeError, ExceptionGroup) as error:
            errors = expected(error)
        checked = CheckedSource(source=source, errors=tuple(errors))
        reporter.item_finished(_STAGE, source.users[0], f"{source.locked.title}: {checked.state}")
        return checked

    reporter.stage_started(_STAGE, len(used))
    checked = workers.map(check, used)
    same = sum(one.state is SourceState.SAME for one in checked)
    reporter.stage_finished(_STAGE, f"{same} of {counted(len(checked), 'source')} as locked")
    return tuple(checked)
