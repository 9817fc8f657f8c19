"""How long a delivery waits for an engine: as long as something moves."""

from __future__ import annotations

from typing import Final

from cluster_forge.ports.clock import Clock

_AFTER_FAILURE: Final = 60.0
"""Seconds without progress that the others have once one has failed. An engine may try that one again meanwhile."""


class Patience:
    """Ends when there was no more progress than before for ``timeout`` seconds."""

    def __init__(self, clock: Clock, timeout: float) -> None:
        self._clock = clock
        self._timeout = timeout
        self._since = clock.monotonic()
        self._most = -1

    def is_over(self, progress: int, *, has_failed: bool) -> bool:
        """Whether to wait no longer, with so much done now (a count that rises); ``has_failed``: something has failed."""
        now = self._clock.monotonic()
        if progress > self._most:
            self._since, self._most = now, progress
        return now - self._since >= (min(self._timeout, _AFTER_FAILURE) if has_failed else self._timeout)
