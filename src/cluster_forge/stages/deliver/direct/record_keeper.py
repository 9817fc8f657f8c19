"""What was applied, written into the cluster while a deployment goes on: of all components at once, every few seconds.

A deployment that is killed loses the last seconds of it: the next one applies these objects again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Final

from cluster_forge.foundation.errors import ForgeError, RefusedError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.clock import Clock
from cluster_forge.stages.deliver.cluster_records.applied import AppliedComponent

Write = Callable[[Mapping[ComponentName, AppliedComponent]], None]
_INTERVAL: Final = 10.0
"""Seconds from one request to the next."""


class RecordKeeper:
    """Notes what components have applied, and writes it with ``write``. Safe for several threads."""

    def __init__(self, write: Write, clock: Clock) -> None:
        self._write = write
        self._clock = clock
        self._noting, self._writing = Lock(), Lock()
        self._noted: dict[ComponentName, AppliedComponent] = {}
        self._tried: float | None = None

    def note(self, name: ComponentName, applied: AppliedComponent) -> None:
        """Keep what was applied of a component so far: now, or with what others apply in the next seconds."""
        with self._noting:
            self._noted[name] = applied
        if not self._writing.acquire(blocking=False):
            return
        try:
            if self._tried is None or self._clock.monotonic() - self._tried >= _INTERVAL:
                self._send()
        finally:
            self._writing.release()

    def finish(self) -> Mapping[ComponentName, str]:
        """Write what is left; the components of which it could not be written, each with the reason."""
        with self._writing:
            error = self._send()
            if isinstance(error, RefusedError):  # it may be too large, and a part of it not
                return dict(self._alone())
        return dict.fromkeys(self._noted, error.message) if error else {}

    def _send(self) -> ForgeError | None:
        """Write what was noted; if that fails, it is noted again, for the next time."""
        with self._noting:
            sent, self._noted = self._noted, {}
        self._tried = self._clock.monotonic()
        try:
            if sent:
                self._write(sent)
        except ForgeError as error:
            with self._noting:
                self._noted = {**sent, **self._noted}
            return error
        return None

    def _alone(self) -> Iterator[tuple[ComponentName, str]]:
        """Write what was noted component by component: those that are refused, with the reason."""
        for name, applied in self._noted.items():
            try:
                self._write({name: applied})
            except ForgeError as error:
                yield name, error.message
