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
"""Requests: half of those that are sent at once (`wiring`) are left to the components at work."""
_MOST_UNSERVED: Final = 16
_PATIENCE: Final = 10.0
"""Seconds after which a CRD that is not served holds up no others: it may be refused, or forgotten (`established`)."""
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
        self._unserved: dict[str, float] = {}
        """The CRDs that were applied, by name, and when."""

    def apply(self, name: ComponentName, documents: Iterable[StepDocument]) -> Sequence[Outcome]:
        """Make a first attempt for each of a component's CRDs, when those of the components before it were attempted."""
        outcomes: list[Outcome] = []
        with self._turn(name):
            left = iter(documents)
            while batch := list(islice(left, _AT_ONCE)):
                self._wait_for_room()
                outcomes += [attempt() for attempt in self._applier.start(batch, _WEIGHT)]
                now = self._clock.monotonic()
                applied = (outcome.document.id.name for outcome in outcomes[-len(batch) :] if outcome.error is None)
                self._unserved |= dict.fromkeys(applied, now)
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
        while len(self._unserved) >= _MOST_UNSERVED:
            served, now = self._definitions.served(), self._clock.monotonic()
            self._unserved = {
                crd: since for crd, since in self._unserved.items() if crd not in served and now - since < _PATIENCE
            }
            if len(self._unserved) >= _MOST_UNSERVED:
                self._clock.sleep(_PAUSE)
