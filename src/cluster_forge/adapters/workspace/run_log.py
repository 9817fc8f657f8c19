"""What a workspace keeps of its runs: a log of each of the last ones, and a line for each stack that was cast."""

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

from cluster_forge.adapters.disk.os_errors import telling
from cluster_forge.adapters.workspace import state_folder

KEPT: Final = 20
_STAMP: Final = len("20260101T000000.000Z")
_LOGIN = re.compile(rb'(:/{1,2})[^/?#\s"\\]*@')
_QUERY = re.compile(rb'(:/{1,2}[^?\s"\\]+)\?[^\s"\\]*')
"""Tokens are in it. (Where an address was taken for a path there is one slash less.)"""


class RunLog:
    """The log of one run, ``.cluster-forge/log/<UTC time>-<verb>-<pid>.jsonl``: one JSON object on each line.

    It never fails a run: where it cannot be written there is none, and ``problem`` says why.
    """

    def __init__(self, workspace: Path, verb: str) -> None:
        self.problem = ""
        self._file: FileIO | None = None
        folder = workspace / state_folder.FOLDER / "log"
        now = datetime.now(
            UTC
        )  # to the millisecond: the names of two runs within a second are in the order of the runs
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
        """Append a line; what logs in is left out of addresses."""
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
        self.problem = f"there is no log of this run: {error.strerror}"


def record(workspace: Path, entry: Mapping[str, Any]) -> None:
    """Append a line to ``.cluster-forge/history.jsonl``, which is never rewritten. The caller holds the workspace's lock.

    Raises:
        WorkspaceError: if it cannot be written.
    """
    path = workspace / state_folder.FOLDER / state_folder.HISTORY
    with telling("cannot be written", f"{state_folder.FOLDER}/{state_folder.HISTORY}"):
        state_folder.prepare(path.parent)
        with FileIO(path, "a+") as file:
            _append(file, entry, after=b"\n" if _is_torn(file) else b"")


def _append(file: FileIO, entry: Mapping[str, Any], *, after: bytes = b"") -> None:
    """Append in one write, so that the lines of two processes never mix."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = orjson.dumps({"time": now, **entry}, default=str)
    line = after + _QUERY.sub(rb"\1", _LOGIN.sub(rb"\1", text)) + b"\n"
    if file.write(line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_torn(file: FileIO) -> bool:
    """Whether the last line lacks its end: its writer ran out of disk."""
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def _paths(folder: Path, name: str) -> Iterator[Path]:
    """Containers have equal process numbers, and a process may run two verbs within a second."""
    yield folder / f"{name}.jsonl"
    for number in itertools.count(2):
        yield folder / f"{name}-{number}.jsonl"


def _prune(folder: Path, own: str) -> None:
    """Keep the last logs. Those from the future go first: the clock was wrong then, or is now."""
    others = (path.name for path in folder.glob("*.jsonl") if path.name != own)
    names = sorted(others, key=lambda name: (name[:_STAMP] <= own[:_STAMP], name))
    for name in names[: -(KEPT - 1)]:
        (folder / name).unlink(missing_ok=True)
