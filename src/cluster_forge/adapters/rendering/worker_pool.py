"""Rendering in worker processes that can be killed: a chart may render for ever, exhaust the memory, or crash Go.

A worker renders one job at a time. If a job takes too long, its worker is killed; if it needs too much memory, its worker
dies of the limit that it set itself. The error names the job, and the next job gets a new worker.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cluster_forge.adapters.rendering.worker_process import WorkerProcess
from cluster_forge.foundation import out_of_memory
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ForgeError, RenderError
from cluster_forge.ports.rendering import HelmEngine, RenderedBatch, RenderJob

_SHOWN = 300
"""Characters of a dead worker's stderr in a message."""
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """What one job may use: ``seconds`` of wall-clock time, and ``memory`` in MiB."""

    seconds: float = 60
    memory: int = 2048


class WorkerPoolRenderer:
    """`ports.Renderer` on worker processes: as many as there are jobs at once.

    ``command`` with the memory limit in bytes as its last argument starts a worker, which calls `worker.serve`;
    ``engine`` answers what needs no worker.
    """

    def __init__(
        self, command: Sequence[str], engine: HelmEngine, limits: JobLimits, environment: Mapping[str, str]
    ) -> None:
        self._command = [*command, str(limits.memory * _MIB)]
        self._environment = dict(environment)
        self._engine = engine
        self._limits = limits
        self._idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
        self._workers: set[WorkerProcess] = set()
        self._is_closed = False
        self._guard = threading.Lock()

    @property
    def version(self) -> str:
        return self._engine.version

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        return self._engine.required_apis(chart)

    def start(self, number: int) -> None:
        """Start workers before the first jobs, so that they are ready when the jobs are."""
        for _ in range(number):
            self._idle.put(self._new_worker())

    def render(self, job: RenderJob) -> RenderedBatch:
        worker = self._idle_worker()
        with worker.time_limit(self._limits.seconds) as is_over:
            answer: RenderedBatch | list[ForgeError] | None = worker.run(job)
        if answer is None:
            stderr = worker.stderr_text()
            self._remove(worker)
            raise _failure(job, self._limits, stderr, is_late=is_over.is_set())
        self._idle.put(worker)
        if isinstance(answer, RenderedBatch):
            return answer
        raise_all(answer)
        raise AssertionError("neither a batch nor an error")

    def release(self) -> None:
        """Kill every worker, whatever it is doing. The next job gets a new one."""
        with self._guard:
            workers = list(self._workers)
        for worker in workers:
            self._remove(worker)

    def close(self) -> None:
        """Kill every worker, whatever it is doing; no other one starts after that."""
        with self._guard:
            self._is_closed = True
        self.release()

    def _idle_worker(self) -> WorkerProcess:
        """An idle worker, or a new one; an idle one may have been killed from outside."""
        while True:
            try:
                worker = self._idle.get_nowait()
            except queue.Empty:
                return self._new_worker()
            if worker.is_alive:
                return worker
            self._remove(worker)

    def _new_worker(self) -> WorkerProcess:
        with self._guard:
            if self._is_closed:
                raise RuntimeError("closed while a job was waiting")
            worker = WorkerProcess(self._command, self._environment)
            self._workers.add(worker)
        return worker

    def _remove(self, worker: WorkerProcess) -> None:
        worker.close()
        with self._guard:
            self._workers.discard(worker)


def _failure(job: RenderJob, limits: JobLimits, stderr: str, *, is_late: bool) -> RenderError:
    subject = "the chart" if job.chart else "the manifests"
    if is_late:
        reason = f"rendering {subject} took longer than {limits.seconds:g} s and was stopped"
        fix = "look for a loop in templates or values, or allow more time: --render-seconds"
    elif out_of_memory.is_reported(stderr):
        reason = f"rendering {subject} needed more than {limits.memory} MiB of memory and was stopped"
        fix = "look for a `repeat`, a loop or a growing value, or allow more memory: --render-memory"
    else:
        shown = " ".join(stderr.split())[:_SHOWN]
        reason = f"rendering {subject} crashed its process{f': {shown}' if shown else ''}"
        fix = "use another version of the chart, or check that `helm template` renders it"
    return RenderError(f"component {job.component}: {reason}", where=job.where, fix=fix)
