"""A worker process as its parent sees it: a job in, an answer out, and what it printed when it died."""

from __future__ import annotations

import contextlib
import pickle
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cluster_forge.adapters.rendering.framing import receive, send
from cluster_forge.ports.rendering import RenderJob

_STDERR_SHOWN = 64 * 1024


class WorkerProcess:
    """One process and its pipes. Its stderr is kept: Go reports there why it dies."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._closing = threading.Lock()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._process = subprocess.Popen(  # noqa: S603 - this program itself
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the parent, which ends its workers itself
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def run(self, job: RenderJob) -> Any:
        """The answer to a job; None if the process ended before it answered."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            send(self._process.stdin, job)
            return receive(self._process.stdout)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):  # ValueError: another thread closed the pipes
            return None

    @contextlib.contextmanager
    def time_limit(self, seconds: float) -> Iterator[threading.Event]:
        """Kill the process after ``seconds``; the event is set if that happened."""
        is_over = threading.Event()

        def kill() -> None:
            is_over.set()
            self._process.kill()

        timer = threading.Timer(seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            yield is_over
        finally:
            timer.cancel()

    def stderr_text(self) -> str:
        """Kill the process; the beginning of what it printed. Empty if another thread closed it."""
        self._process.kill()
        self._process.wait()
        try:
            self._stderr.seek(0)
            return self._stderr.read(_STDERR_SHOWN).decode(errors="replace")
        except ValueError:
            return ""

    def close(self) -> None:
        """Kill the process if it still lives, and close its pipes. Safe while another thread waits for an answer."""
        self._process.kill()
        self._process.wait()
        with self._closing:
            for pipe in (self._process.stdin, self._process.stdout, self._stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError, ValueError):  # ValueError: another thread reads from it
                        pipe.close()
