"""How long a delivery waits for what others do: as long as something moves, and past a cluster that does not say so for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from cluster_forge.foundation.errors import ClusterError, ForgeError, RefusedError
from cluster_forge.ports.clock import Clock

_AFTER_FAILURE: Final = 60.0
"""Seconds without progress that the others have once one has failed. An engine may try that one again meanwhile."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0
"""Seconds between two looks, doubled each time: an engine sees within a second what is there already."""


class Patience:
    """Ends when there was no more progress than before for ``timeout`` seconds."""

    def __init__(self, clock: Clock, timeout: float) -> None:
        self._clock = clock
        self._timeout = timeout
        self._since = clock.monotonic()
        self._most = -1
        self._pause = _FIRST_PAUSE

    def is_over(self, progress: int, *, has_failed: bool) -> bool:
        """Whether to wait no longer, with so much done now (a count that rises); ``has_failed``: something has failed."""
        now = self._clock.monotonic()
        if progress > self._most:
            self._since, self._most = now, progress
        return now - self._since >= (min(self._timeout, _AFTER_FAILURE) if has_failed else self._timeout)

    def pause(self) -> None:
        """Sleep until the next look."""
        self._clock.sleep(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)


def is_passing(error: ForgeError) -> bool:
    """Whether the cluster may answer the next time that it is asked: it is away, busy, or has lost its etcd for a moment."""
    if isinstance(error, ClusterError):
        return not error.is_lasting
    return isinstance(error, RefusedError) and error.status >= HTTPStatus.TOO_MANY_REQUESTS


@contextmanager
def tolerated(say: Callable[[str], None]) -> Iterator[None]:
    """For one look of many, or a request that is made again: ``say`` gets an error that passes.

    Raises:
        ClusterError, RefusedError: any other one.
    """
    try:
        yield
    except (ClusterError, RefusedError) as error:
        if not is_passing(error):
            raise
        say(str(error))
