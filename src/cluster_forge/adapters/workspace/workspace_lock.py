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

from cluster_forge.adapters.disk import atomic_replace
from cluster_forge.adapters.disk.os_errors import translated
from cluster_forge.adapters.workspace import state_folder
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import WorkspaceError

STAGING: Final = "aside-"
"""The prefix of staging directories in `.cluster-forge/`. The next holder of the lock recovers those of dead runs."""


class WorkspaceLock:
    """A lock that the system frees when its holder dies. ``lock.holder`` says who holds it, and since when.

    (Not the lock file itself: on Windows other processes cannot read that while it is held.)
    """

    def __init__(self, state: Path, patience: float) -> None:
        self._state = state
        self._patience = patience
        self._mutex = threading.Lock()
        self._times_held = 0
        self._release = contextlib.ExitStack()

    @contextlib.contextmanager
    def held(self, patience: float | None = None) -> Iterator[None]:
        """Wait for it up to ``patience`` seconds. It may be taken again while it is held, by any thread.

        Raises:
            WorkspaceError: if another process holds it, or the directory cannot be written.
        """
        with self._mutex:
            if not self._times_held:
                with translated("cannot be locked", str(self._state.parent)):
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
        from filelock import FileLock, Timeout  # noqa: PLC0415 - 0.013 s, and many commands only read

        self._state.mkdir(parents=True, exist_ok=True)
        holder = self._state / "lock.holder"
        with contextlib.ExitStack() as taken:
            try:
                taken.enter_context(FileLock(self._state / "lock", timeout=patience, thread_local=False))
            except Timeout as error:
                raise WorkspaceError(
                    f"the workspace is in use by {_holder_text(holder)}",
                    where=str(self._state.parent),
                    fix="wait until that command is done, or stop it",
                ) from error
            for staging in self._state.glob(f"{STAGING}*"):  # first: on a full disk, this frees space
                atomic_replace.recover(staging)
            state_folder.prepare(self._state)
            taken.callback(holder.unlink, missing_ok=True)
            holder.write_bytes(_own_text().encode(errors="backslashreplace"))
            self._release = taken.pop_all()


def _own_text() -> str:
    """This process: number, command line without credentials, machine and time."""
    program = Path(sys.argv[0]).name if sys.argv[:1] != ["-c"] else ""
    words = [program, *map(without_credentials, sys.argv[1:])]
    command = textwrap.shorten(shlex.join(filter(None, words)), 100, placeholder=" …")
    since = datetime.now(UTC).isoformat(" ", "seconds")
    return f"process {os.getpid()}{f' ({command})' if command else ''} on {platform.node()} since {since}"


def _holder_text(holder: Path) -> str:
    """The content of ``holder``, which the lock's holder may write or remove at this moment."""
    try:
        return holder.read_bytes().decode(errors="replace") or "another process"
    except OSError:
        return "another process"
