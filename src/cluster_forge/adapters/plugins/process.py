"""The process of a plug-in as its parent sees it: requests in, answers out, within limits of time and memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from cluster_forge.adapters.plugins.frames import Frame, receive, send
from cluster_forge.foundation.stopping import at_stop

_MIB: Final = 1 << 20
_KEPT: Final = 16
"""Pieces of what a process printed that are kept, the last ones."""
_PIECE: Final = 4096
_TO_END: Final = 1
"""Seconds in which a process that closed its pipe ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may use: ``seconds`` of wall-clock time, and ``memory`` in MiB for the process."""

    seconds: float = 60
    memory: int = 2048


class EndedError(Exception):
    """The process did not answer: it ended, was stopped, or sent something else."""


class PluginProcess:
    """A process in a session of its own, so that what it starts ends with it. What it prints is kept, and shown if it fails."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: str | None) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this program itself
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
        self._printed: deque[bytes] = deque(maxlen=_KEPT)
        self.is_late = False
        assert self._process.stderr is not None
        self._reader = threading.Thread(target=_drain, args=(self._process.stderr, self._printed), daemon=True)
        self._reader.start()
        self._forget = at_stop(self.kill)

    def ask(self, seconds: float, value: Any, contents: Sequence[bytes] = ()) -> Frame:
        """Send a request and wait for the answer.

        Raises:
            EndedError: if none comes in ``seconds``.
        """
        assert self._process.stdin is not None
        with self._limited(seconds), _as_ended():
            send(self._process.stdin, value, contents)
            return self._received()

    def next_answer(self, seconds: float) -> Frame:
        """Another answer to the same request.

        Raises:
            EndedError: if none comes in ``seconds``.
        """
        with self._limited(seconds), _as_ended():
            return self._received()

    def printed(self) -> str:
        """Kill the process; the end of what it printed."""
        self.kill()
        self._reader.join(timeout=1)
        return b"".join(self._printed).decode(errors="replace")

    def exit_code(self) -> int | None:
        """How it ended by itself; negative: by which signal. None if it has not."""
        try:
            return self._process.wait(timeout=_TO_END)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """Kill it with everything that it started."""
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def close(self) -> None:
        self._forget()
        self.kill()
        self._process.wait()
        self._reader.join(timeout=1)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()

    def _received(self) -> Frame:
        assert self._process.stdout is not None
        return receive(self._process.stdout)

    @contextlib.contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        def stop() -> None:
            self.is_late = True
            self.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


@contextlib.contextmanager
def empty_folder() -> Iterator[Path]:
    """A folder for a process to be in, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="cluster-forge-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


@contextlib.contextmanager
def _as_ended() -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError) as error:  # orjson's errors are ValueErrors
        raise EndedError from error


def _drain(pipe: IO[bytes], pieces: deque[bytes]) -> None:
    """Read all that a process prints, so that it never waits for a reader, and keep the end of it."""
    with contextlib.suppress(OSError, ValueError):
        while piece := os.read(pipe.fileno(), _PIECE):
            pieces.append(piece)
