"""Components wait here for those that they need."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from threading import Condition

from cluster_forge.foundation.names import ComponentName


class Gates:
    """Which components are done, and whether they have succeeded."""

    def __init__(self) -> None:
        self._done: dict[ComponentName, bool] = {}
        self._changed = Condition()

    def wait(self, needed: Collection[ComponentName]) -> Sequence[ComponentName]:
        """Return when all that is needed is done: those of it that have failed, sorted."""
        with self._changed:
            self._changed.wait_for(lambda: self._done.keys() >= set(needed))
            return sorted(name for name in needed if not self._done[name])

    def open(self, name: ComponentName, *, is_good: bool) -> None:
        """A component is done."""
        with self._changed:
            self._done[name] = is_good
            self._changed.notify_all()
