"""Worker processes that render for all command lines run in a test process: starting them takes longer than what tests render."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cluster_forge.adapters.rendering.worker_pool import WorkerPoolRenderer
from cluster_forge.composition.settings import Settings
from cluster_forge.ports.rendering import HelmEngine
from cluster_forge.service_options import RenderOptions

MakePool = Callable[[Settings, HelmEngine], WorkerPoolRenderer]


class SharedWorkers(WorkerPoolRenderer):
    """A pool that outlives the commands: what one command would end is ready for the next."""

    def start(self, number: int) -> None:
        super().start(number - len(self._workers))

    def release(self) -> None: ...

    def close(self) -> None: ...

    def end(self) -> None:
        """End the processes."""
        super().close()
        super().release()


class Pools:
    """Gives every command the shared pool; one with options of its own gets its own."""

    def __init__(self, make: MakePool) -> None:
        self._make = make
        self._shared: SharedWorkers | None = None

    def pool(self, settings: Settings, engine: HelmEngine) -> WorkerPoolRenderer:
        own = self._make(settings, engine)
        if replace(settings.rendering, no_cache=False) != RenderOptions():
            return own
        if self._shared is None:
            command, environment = own._command[:-1], own._environment
            self._shared = SharedWorkers(command, own._engine, own._limits, environment)
        return self._shared

    def end(self) -> None:
        if self._shared:
            self._shared.end()
