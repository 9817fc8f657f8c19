"""The workspace's lock: one process at a time writes."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import sys
import textwrap
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk.os_errors import telling
from cluster_forge.adapters.workspace import atomic_replace, state_folder
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import WorkspaceError

ASIDE: Final = "aside-"
"""How the names of folders begin in which trees are written. Whoever takes the lock completes those of dead runs."""


class Lock:
    """A lock that the system frees when its holder dies. Who holds it, and since when, stands in ``lock.holder``.

    (Not in the lock's own file: on Windows nobody else can read that while it is held.)
    """

    def __init__(self, state: Path, patience: float) -> None:
        self._state = state
        self._patience = patience
        self._mutex = threading.Lock()
        self._times_held = 0
        self._release = contextlib.ExitStack()

    @contextlib.contextmanager
    def held(self, patience: float | None = None) -> Iterator[None]:
        """Wait at most ``patience`` seconds for it. It may be taken again while it is held, by any thread.

        Raises:
            WorkspaceError: if somebody else holds it, or the folder cannot be written.
        """
        with self._mutex:
            if not self._times_held:
                with telling("cannot be locked", str(self._state.parent)):
                    self._take(self._patience if patience is None else patience)
            self._times_held += 1
        try:
            yield
        finally:
            with self._mutex:
                self._times_held -= 1
                if not self._times_held:
                    self._release.close()

    def _take(self, patience: float) -> None:
        from filelock import FileLock, Timeout  # noqa: PLC0415 - most commands only read

        self._state.mkdir(parents=True, exist_ok=True)
        holder = self._state / "lock.holder"
        with contextlib.ExitStack() as taken:
            try:
                taken.enter_context(FileLock(self._state / "lock", timeout=patience, thread_local=False))
            except Timeout as error:
                raise WorkspaceError(
                    f"the workspace is in use by {_who(holder)}",
                    where=str(self._state.parent),
                    fix="wait until that command is done, or end it",
                ) from error
            for aside in self._state.glob(f"{ASIDE}*"):  # first: on a full disk, that is what makes room
                atomic_replace.recover(aside)
            state_folder.prepare(self._state)
            taken.callback(holder.unlink, missing_ok=True)
            holder.write_bytes(_me().encode(errors="backslashreplace"))
            self._release = taken.pop_all()


def _me() -> str:
    """This process: the command that it was started with, less what logs in somewhere, and the time."""
    program = Path(sys.argv[0]).name if sys.argv[:1] != ["-c"] else ""
    words = [program, *map(without_credentials, sys.argv[1:])]
    command = textwrap.shorten(shlex.join(filter(None, words)), 100, placeholder=" …")
    since = datetime.now(UTC).isoformat(" ", "seconds")
    return f"process {os.getpid()}{f' ({command})' if command else ''} on {platform.node()} since {since}"


def _who(holder: Path) -> str:
    """What stands in ``holder``; whoever holds the lock may write it, or remove it, at just this moment."""
    try:
        return holder.read_bytes().decode(errors="replace") or "another process"
    except OSError:
        return "another process"
