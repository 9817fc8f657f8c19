"""One run of a program: wall time, CPU time of all its processes, and their peak memory together."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

SAMPLING_INTERVAL = 0.1
"""Seconds between two samples of the memory."""

_KIB_IN_MAXRSS = 1 if sys.platform != "darwin" else 1024
_PATIENCE = 5.0
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Seconds and MB (2^20 bytes); ``out`` is what the program wrote to stdout."""

    wall: float
    cpu: float
    peak_mb: float
    out: bytes = field(default=b"", repr=False)


def run(command: Sequence[str | Path], *, code: int = 0) -> Run:
    """Run a program. CPU time is user and system time of the program and of every process that it started.

    The kernel adds a child's time to its parent's when the parent waits for it. A process without a waiting parent becomes a
    child of this process, which waits for it.

    Interrupted, it ends the program first: what is still writing to a folder keeps it from being removed.

    Raises:
        RuntimeError: if its exit code is neither 0 nor ``code``, or a process that it started outlives it.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CLUSTER_FORGE_", "PYTHON"))
    }
    _adopt_orphans()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment)
        try:
            with _Sampler() as sampler:
                _, status, usage = os.wait4(process.pid, 0)
                wall = time.perf_counter() - start
        except BaseException:
            _kill_all()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        orphans = _wait_for_orphans()
        if process.returncode not in (0, code):
            err.seek(0)
            last = err.read().decode("utf-8", "replace").strip()[-2000:]
            raise RuntimeError(f"exit code {process.returncode}\n{last}")
        out.seek(0)
        return Run(
            wall=wall,
            cpu=usage.ru_utime + usage.ru_stime + orphans,
            peak_mb=max(sampler.peak_kib, usage.ru_maxrss / _KIB_IN_MAXRSS) / 1024,
            out=out.read(),
        )


class _Sampler:
    """Samples the memory of the processes below this one; ``peak_kib`` is the maximum of their sum.

    Pages of files (programs and libraries, which the system holds once) count once, in the process that has most of them: the
    workers load the same. Proportional memory would be exact, but reading it stops the process: `forge` took half as long
    again.
    """

    def __init__(self) -> None:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_kib = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.is_set():
            sizes = list(map(_resident_kib, _below(os.getpid())))
            now = sum(own for own, _ in sizes) + max((of_files for _, of_files in sizes), default=0)
            self.peak_kib = max(self.peak_kib, now)
            self._done.wait(SAMPLING_INTERVAL)


def _below(process: int) -> Iterator[int]:
    """All living descendants of a process; empty on systems without /proc."""
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208 - a hot path works on strings
            with contextlib.suppress(OSError):
                children = Path(f"/proc/{process}/task/{task}/children").read_text(encoding="ascii")
                for child in map(int, children.split()):
                    yield child
                    yield from _below(child)


def _resident_kib(process: int) -> tuple[int, int]:
    """The memory of a process that is its own, and that of files."""
    try:
        _, resident, of_files, *_ = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0, 0
    page_kib = os.sysconf("SC_PAGE_SIZE") // 1024
    return (int(resident) - int(of_files)) * page_kib, int(of_files) * page_kib


def release_orphans() -> None:
    """From here to the next `run`, processes without a waiting parent do not become children of this one: a program that is
    started meanwhile may leave some running.
    """
    _set_subreaper(0)


def _adopt_orphans() -> None:
    _set_subreaper(1)


def _set_subreaper(value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, value, 0, 0, 0)


def _wait_for_orphans() -> float:
    """The CPU seconds of the processes without a waiting parent.

    Raises:
        RuntimeError: if one does not end; it is killed.
    """
    seconds = 0.0
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            process, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return seconds
        if process:
            seconds += usage.ru_utime + usage.ru_stime
        elif time.monotonic() < deadline:
            time.sleep(0.01)
        else:
            raise RuntimeError(f"{_kill_all()} processes did not end with the program that started them")


def _kill_all() -> int:
    """Kill every process below this one, also those that start meanwhile, and wait for them; how many there were."""
    killed: set[int] = set()
    while left := set(_below(os.getpid())):
        killed |= left
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.wait()
    return len(killed)
