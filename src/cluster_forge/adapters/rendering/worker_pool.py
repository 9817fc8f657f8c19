"""Objects made in processes of their own, which can be ended: a chart may run for ever, eat all memory, or crash Go.

A process makes one job at a time; jobs and answers travel through its standard input and output, pickled, each
after its length. One that takes too long is killed, one that takes too much memory dies by the limit that it sets
itself, and the job is named. The next job gets a new process.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cluster_forge.adapters.rendering.framing import receive, send
from cluster_forge.foundation.errors import ForgeError, RenderError, raise_all
from cluster_forge.ports.rendering import RenderedBatch, Renderer, RenderJob

_SHOWN = 300
_MIB = 1024 * 1024
_OUT_OF_MEMORY = re.compile(
    r"out of memory|cannot allocate memory|MemoryError|failed to create new OS thread"
    r"|SIGSEGV[^\n]*\nPC=[^\n]* addr=0x0\n\ngoroutine 0 "
)
"""The last: Go's garbage collector (1.26) follows a null pointer where the system gave it no memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one job may take: wall ``seconds``, and MiB of ``memory``."""

    seconds: float = 60
    memory: int = 2048


class WorkerPoolRenderer:
    """`ports.Maker` that lets processes do it: as many as there are jobs at once.

    ``command`` starts one (see `child`) when the limit of memory, in bytes, is put behind it; ``renderer`` answers what
    needs no process.
    """

    def __init__(
        self, command: Sequence[str], renderer: Renderer, limits: Limits, environment: Mapping[str, str]
    ) -> None:
        self._command = [*command, str(limits.memory * _MIB)]
        self._environment = dict(environment)
        self._renderer = renderer
        self._limits = limits
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        self._all: set[_Process] = set()
        self._guard = threading.Lock()

    @property
    def version(self) -> str:
        return self._renderer.version

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        return self._renderer.required_apis(chart)

    def start(self, number: int) -> None:
        """Start processes ahead of the first jobs: that takes a while, in which others can work."""
        for _ in range(number):
            self._idle.put(self._started())

    def render(self, job: RenderJob) -> RenderedBatch:
        process = self._free()
        with _clock(process, self._limits.seconds) as is_late:
            answer = process.ask(job)
        if answer is None:
            reason = process.last_words()
            self._end(process)
            raise _ended(job, self._limits, reason, is_late=is_late())
        self._idle.put(process)
        return _packed(answer)

    def close(self) -> None:
        """End every process, whatever it is doing."""
        with self._guard:
            every = list(self._all)
        for process in every:
            self._end(process)

    def _free(self) -> _Process:
        """One that waits for a job, or else a new one; somebody may have killed those that wait."""
        while True:
            try:
                process = self._idle.get_nowait()
            except queue.Empty:
                return self._started()
            if process.lives:
                return process
            self._end(process)

    def _started(self) -> _Process:
        process = _Process(self._command, self._environment)
        with self._guard:
            self._all.add(process)
        return process

    def _end(self, process: _Process) -> None:
        process.close()
        with self._guard:
            self._all.discard(process)


class _Process:
    """One process and its pipes. What it says on stderr is kept: Go tells there why it dies."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._closing = threading.Lock()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._process = subprocess.Popen(  # noqa: S603 - this program itself
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the command, which ends its processes itself
        )

    def ask(self, job: RenderJob) -> Any:
        """The answer to a job; None where the process ended before it gave one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            send(self._process.stdin, job)
            return receive(self._process.stdout)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):  # a ValueError where it was closed meanwhile
            return None

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """Whoever waits for its answer learns that there will be none."""
        self._process.kill()

    def close(self) -> None:
        """End it, if it still lives; whoever waits for its answer and whoever ends all of them may call this at once."""
        self._process.kill()
        self._process.wait()
        with self._closing:
            for pipe in (self._process.stdin, self._process.stdout, self._words):
                if pipe is not None:
                    with contextlib.suppress(OSError, ValueError):  # a ValueError where somebody just reads from it
                        pipe.close()

    def last_words(self) -> str:
        """The first lines of what it said when it died; nothing where it was closed meanwhile."""
        self._process.kill()
        self._process.wait()
        try:
            self._words.seek(0)
            return self._words.read(64 * 1024).decode(errors="replace")
        except ValueError:
            return ""


def _packed(answer: RenderedBatch | list[ForgeError]) -> RenderedBatch:
    if isinstance(answer, RenderedBatch):
        return answer
    raise_all(answer)
    raise AssertionError("no answer and no error")


@contextlib.contextmanager
def _clock(process: _Process, seconds: float) -> Iterator[Callable[[], bool]]:
    """Kill the process when its time is over; what it gives tells whether that happened."""
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield late.is_set
    finally:
        timer.cancel()


def _ended(job: RenderJob, limits: Limits, words: str, *, is_late: bool) -> RenderError:
    what = "the chart" if job.chart else "its manifests"
    if is_late:
        reason = f"{what} took longer than {limits.seconds:g} s and was ended"
        fix = "look for a loop in its templates or values; --render-seconds gives it more"
    elif _OUT_OF_MEMORY.search(words):
        reason = f"{what} wanted more than {limits.memory} MiB of memory and was ended"
        fix = "look for a `repeat`, a loop or a value that grows; --render-memory gives it more"
    else:
        shown = " ".join(words.split())[:_SHOWN]
        reason = f"{what} made its process end{f': {shown}' if shown else ''}"
        fix = "take another version of the chart, or see whether `helm template` renders it"
    return RenderError(f"component {job.component}: {reason}", where=job.where, fix=fix)
