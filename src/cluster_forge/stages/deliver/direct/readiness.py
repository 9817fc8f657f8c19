"""Waiting until objects are ready: one watch for each kind, for all that wait for its objects.

The first call that waits for a kind watches it for all others; when its own objects are ready, another one goes on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from cluster_forge.foundation.errors import ClusterError, DeploymentError, ForgeError, RefusedError
from cluster_forge.manifests.health import Health, Status
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.clock import Clock
from cluster_forge.stages.deliver.direct.observations import RUN_ONCE, Observations, Watched
from cluster_forge.stages.deliver.patience import is_passing

_PERIOD: Final = 10.0
"""Seconds of one watch. It is taken up again, so that a silent connection costs no more than this."""
_TURN: Final = 1.0
"""Seconds after which a call that waits for the watch of another one looks at the time."""
_GRACE: Final = 30.0
"""Seconds in which a failed object may recover: its status may be from before the deployment, which may mend it."""
PATIENCE: Final = 30.0
"""Seconds in which a controller answers a new custom resource, if there is one: also one that is only just elected."""
_NAMED: Final = 3

_Pending = list[tuple[ObjectId, Health]]


@dataclass(slots=True, kw_only=True)
class Readiness:
    """One call that waits until all ``targets`` are ready, for at most ``seconds``.

    ``say`` gets what is waited for, whenever that changes. With ``patience``, an object that no controller has answered for so
    many seconds is waited for no longer; ``answers`` says whose controller should. ``lack`` is what an object that is late
    lacks, in words.
    """

    observations: Observations
    clock: Clock
    targets: Sequence[ObjectId]
    seconds: float
    say: Callable[[str], None]
    answers: Callable[[ObjectId], str] = field(default=lambda _target: "")
    patience: float | None = None
    lack: str = "is not ready"
    _began: float = 0.0
    _failing: dict[ObjectId, float] = field(default_factory=dict)
    _said: str = ""
    _trouble: ForgeError | None = None

    def wait(self) -> Sequence[ObjectId]:
        """Return when all are ready: those that no controller has answered, where there is a ``patience``.

        Raises:
            DeploymentError: if one has failed, or is not ready in time.
            RefusedError, ClusterError: if the cluster does not let them be watched.
        """
        self._began = self.clock.monotonic()
        while pending := self._pending():
            watched = self.observations.of(pending[0][0])
            with self.observations.changed:
                if watched.is_watched:
                    self.observations.changed.wait(_TURN)
                    continue
                watched.is_watched = True
            try:
                self._lead(watched)
            finally:
                with self.observations.changed:
                    watched.is_watched = False
                    self.observations.changed.notify_all()
        return [target for target in self.targets if self.observations.health(target).is_unanswered]

    def _lead(self, watched: Watched) -> None:
        """Look at a place for everyone who waits: for a while, or until this call's own objects there are ready.

        A cluster that does not answer is asked again.
        """
        try:
            if not watched.since:
                self.observations.list(watched)
                return
            seconds = max(1.0, min(_PERIOD, self._left, self._patience_left))
            with contextlib.closing(self.observations.watch(watched, seconds)) as changes:
                for _ in changes:
                    pending = self._pending()
                    if not pending or self.observations.of(pending[0][0]) is not watched:
                        return
        except (RefusedError, ClusterError) as error:
            is_over = isinstance(error, RefusedError) and error.status in (HTTPStatus.GONE, HTTPStatus.NOT_FOUND)
            if not is_over and not is_passing(error):
                raise
            self._look_again(watched, error)

    def _look_again(self, watched: Watched, error: ForgeError) -> None:
        self._trouble, watched.since = error, ""
        if self._left <= 0:
            raise error
        self.clock.sleep(_TURN)

    def _pending(self) -> _Pending:
        """What is not ready yet.

        Raises:
            DeploymentError: if something has failed, or the time is over.
        """
        known = ((target, self.observations.health(target)) for target in self.targets)
        gives_up = self.patience is not None and self._patience_left <= 0
        pending = [
            (target, health)
            for target, health in known
            if health.status is not Status.READY and not (gives_up and health.is_unanswered)
        ]
        for target, health in pending:
            if self._has_failed(target, health):
                raise DeploymentError(f"has failed: {health.message}", where=str(target))
        if pending and self._left <= 0:
            raise self._late(pending)
        if pending and self.observations.of(pending[0][0]).since:
            self._tell(pending)
        return pending

    @property
    def _left(self) -> float:
        return self._began + self.seconds - self.clock.monotonic()

    @property
    def _patience_left(self) -> float:
        """Seconds after which it is worth saying that no controller answers."""
        patience = PATIENCE if self.patience is None else self.patience
        return self._began + patience - self.clock.monotonic()

    def _words(self, target: ObjectId, health: Health) -> str:
        """What an object lacks; after a while also who should have answered it."""
        who = self.answers(target) if health.is_unanswered and self._patience_left <= 0 else ""
        return f"{health.message} ({who} should)" if who else health.message

    def _has_failed(self, target: ObjectId, health: Health) -> bool:
        if health.status is not Status.FAILED:
            self._failing.pop(target, None)
            return False
        now = self.clock.monotonic()
        return (target.group, target.kind) in RUN_ONCE or now - self._failing.setdefault(target, now) >= _GRACE

    def _tell(self, pending: _Pending) -> None:
        target, health = pending[0]
        more = f", and {len(pending) - 1} more" if len(pending) > 1 else ""
        text = f"{target.kind}/{target.name}: {self._words(target, health)}{more}"
        if text != self._said:
            self._said = text
            self.say(text)

    def _late(self, pending: _Pending) -> DeploymentError:
        (target, health), *others = pending
        named = "; ".join(f"{other}: {self._words(other, known)}" for other, known in others[:_NAMED])
        more = f" (also {named}{'; …' if len(others) > _NAMED else ''})" if others else ""
        trouble = f"; the cluster said last: {self._trouble}" if self._trouble else ""
        return DeploymentError(
            f"{self.lack} after {self.seconds:g} s: {self._words(target, health)}{more}{trouble}", where=str(target)
        )
