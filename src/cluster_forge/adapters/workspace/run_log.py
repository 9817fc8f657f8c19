"""What a workspace keeps of its runs: a log of each recent run, and a line of history for each cast stack."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, Final

import orjson

from cluster_forge.adapters.disk.os_errors import translated
from cluster_forge.adapters.workspace import state_folder

KEPT: Final = 20
_STAMP: Final = len("20260101T000000.000Z")
_CREDENTIALS = re.compile(rb'(:/{1,2})[^/?#\s"\\]*@')
_QUERY = re.compile(rb'(:/{1,2}[^?\s"\\]+)\?[^\s"\\]*')
"""Queries may hold tokens. (An address that was normalized as a path has one slash less.)"""


class RunLog:
    """The log of one run, ``.cluster-forge/log/<UTC time>-<verb>-<pid>.jsonl``: one JSON object on each line.

    It never fails a run: if it cannot be written, there is no log, and ``problem`` says why.
    """

    def __init__(self, workspace: Path, verb: str) -> None:
        self.problem = ""
        self._file: FileIO | None = None
        folder = workspace / state_folder.FOLDER / "log"
        now = datetime.now(UTC)  # with milliseconds, so that names sort in the order of the runs
        name = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z-{verb}-{os.getpid()}"
        try:
            state_folder.prepare(folder.parent)
            folder.mkdir(exist_ok=True)
            path = next(path for path in _paths(folder, name) if not path.exists())
            self._file = FileIO(path, "a")
            _prune(folder, path.name)
        except OSError as error:
            self._fail(error)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append a line; credentials are removed from addresses."""
        if self._file:
            try:
                _append(self._file, entry)
            except OSError as error:
                self._fail(error)

    def close(self) -> None:
        file, self._file = self._file, None
        if file:
            with contextlib.suppress(OSError):
                file.close()

    def _fail(self, error: OSError) -> None:
        self.close()
        self.problem = f"this run is not logged: {error.strerror}"


def append_to_history(workspace: Path, entry: Mapping[str, Any]) -> None:
    """Append a line to ``.cluster-forge/history.jsonl``, which only grows. The caller holds the workspace's lock.

    Raises:
        WorkspaceError: if it cannot be written.
    """
    path = workspace / state_folder.FOLDER / state_folder.HISTORY
    with translated("cannot be written", f"{state_folder.FOLDER}/{state_folder.HISTORY}"):
        state_folder.prepare(path.parent)
        with FileIO(path, "a+") as file:
            _append(file, entry, after=b"\n" if _is_torn(file) else b"")


def _append(file: FileIO, entry: Mapping[str, Any], *, after: bytes = b"") -> None:
    """Append in one write, so that lines of two processes never mix."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = orjson.dumps({"time": now, **entry}, default=str)
    line = after + _QUERY.sub(rb"\1", _CREDENTIALS.sub(rb"\1", text)) + b"\n"
    if file.write(line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_torn(file: FileIO) -> bool:
    """Whether the last line has no end: the disk was full when it was written."""
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def _paths(folder: Path, name: str) -> Iterator[Path]:
    """Names to try: processes in containers have equal numbers, and one process may run two verbs in a moment."""
    yield folder / f"{name}.jsonl"
    for number in itertools.count(2):
        yield folder / f"{name}-{number}.jsonl"


def _prune(folder: Path, own: str) -> None:
    """Keep the latest logs. Logs from the future are removed first: the clock was or is wrong."""
    others = (path.name for path in folder.glob("*.jsonl") if path.name != own)
    names = sorted(others, key=lambda name: (name[:_STAMP] <= own[:_STAMP], name))
    for name in names[: -(KEPT - 1)]:
        (folder / name).unlink(missing_ok=True)
