"""What a workspace keeps of its runs: a log of each recent run, and a line of history for each cast and each change of a cluster."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, Final

import orjson

from cluster_forge.adapters.disk import plain_files
from cluster_forge.adapters.disk.os_errors import translated
from cluster_forge.adapters.workspace import state_folder
from cluster_forge.foundation.addresses import masked, masked_values
from cluster_forge.foundation.errors import WorkspaceError

KEPT: Final = 20
_STAMP: Final = len("20260101T000000.000Z")


class RunLog:
    """The log of one run, ``.cluster-forge/log/<UTC time>-<verb>-<pid>.jsonl``: one JSON object on each line.

    It never fails a run: if it cannot be written, there is no log, and ``problem`` says why.

    Raises:
        WorkspaceError: if a link, a pipe or a device is in its place: what else the workspace holds is not to be trusted.
    """

    def __init__(self, workspace: Path, verb: str) -> None:
        self.problem = ""
        self._file: FileIO | None = None
        folder = workspace / state_folder.FOLDER / "log"
        now = datetime.now(UTC)  # with milliseconds, so that names sort in the order of the runs
        name = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z-{verb}-{os.getpid()}"
        try:
            state_folder.prepare(folder.parent)
            plain_files.make_private_folder(folder)
            path = next(path for path in _paths(folder, name) if not os.path.lexists(path))
            self._file = _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
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
    """Append a line to ``.cluster-forge/history.jsonl``, which only grows. Processes and threads may do so side by side.

    Raises:
        WorkspaceError: if it cannot be written.
    """
    path = workspace / state_folder.FOLDER / state_folder.HISTORY
    subject = f"{state_folder.FOLDER}/{state_folder.HISTORY}"
    try:
        with translated("cannot be written", subject):
            state_folder.prepare(path.parent)
            with _opened(path, os.O_RDWR | os.O_CREAT | os.O_APPEND) as file:
                _append(file, entry, after=b"\n" if _is_torn(file) else b"")
    except WorkspaceError as error:
        if error.message.startswith(subject):
            raise
        raise WorkspaceError(f"{subject} cannot be written: {error}", where=error.where, fix=error.fix) from error


def _opened(path: Path, flags: int) -> FileIO:
    """A log, for the user alone, without a link being followed; its mode says that lines are appended."""
    return FileIO(plain_files.open_private(path, flags), "r+" if flags & os.O_RDWR else "a")


def _append(file: FileIO, entry: Mapping[str, Any], *, after: bytes = b"") -> None:
    """Append in one write, so that lines of two processes never mix."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = after + orjson.dumps(masked_values({"time": now, **entry}), default=lambda value: masked(str(value))) + b"\n"
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
