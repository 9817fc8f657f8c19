"""CRDs that are new to the cluster, applied ahead of their components: nothing there depends on them yet, and they take the
API server longest.

It works on them one after the other, for seconds after it has answered. All at once, those of the first components would
be served after those of the last, and nothing else would get on. So they are applied in the order of the components, and
few more than the API server serves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from threading import Condition
from typing import Final

from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.clock import Clock
from cluster_forge.stages.deliver.direct.applier import Applier, Outcome
from cluster_forge.stages.deliver.direct.established import Definitions
from cluster_forge.stages.deliver.direct.step_documents import StepDocument

_WEIGHT: Final = 0
"""Behind everything else that is to be sent."""
_AT_ONCE: Final = 3
"""Requests: half of the six that are sent at once are left to the components at work."""
_MOST_UNSERVED: Final = 16
_PATIENCE: Final = 10.0
"""Seconds without one more that is served, after which others are not held up: the 16 may be refused, or forgotten
(`established`).
"""
_PAUSE: Final = 0.25


class EarlyCrds:
    """``order`` are all components, each of which calls `apply` once."""

    def __init__(
        self, applier: Applier, definitions: Definitions, clock: Clock, order: Iterable[ComponentName]
    ) -> None:
        self._applier = applier
        self._definitions = definitions
        self._clock = clock
        self._waiting = deque(order)
        self._changed = Condition()
        self._unserved: frozenset[str] = frozenset()
        """Names of CRDs that were applied."""

    def apply(self, name: ComponentName, documents: Iterable[StepDocument]) -> Sequence[Outcome]:
        """Make a first attempt for each of a component's CRDs, when those of the components before it were attempted."""
        outcomes: list[Outcome] = []
        with self._turn(name):
            left = iter(documents)
            while batch := list(islice(left, _AT_ONCE)):
                self._wait_for_room()
                outcomes += [attempt() for attempt in self._applier.start(batch, _WEIGHT)]
                applied = [outcome for outcome in outcomes[-len(batch) :] if outcome.error is None]
                self._unserved |= {outcome.document.id.name for outcome in applied}
        return outcomes

    @contextmanager
    def _turn(self, name: ComponentName) -> Iterator[None]:
        """Wait for the components before this one; those after it go on also if it fails."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting[0] == name)
        try:
            yield
        finally:
            with self._changed:
                self._waiting.popleft()
                self._changed.notify_all()

    def _wait_for_room(self) -> None:
        last = self._clock.monotonic()
        while len(self._unserved) >= _MOST_UNSERVED:
            left = self._unserved - self._definitions.served()
            now = self._clock.monotonic()
            if left < self._unserved:
                last = now
            elif now - last >= _PATIENCE:
                left = frozenset()
            self._unserved = left
            if len(left) >= _MOST_UNSERVED:
                self._clock.sleep(_PAUSE)
