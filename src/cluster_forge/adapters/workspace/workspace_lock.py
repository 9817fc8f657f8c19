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

from cluster_forge.adapters.disk import atomic_replace, plain_files, user_secret
from cluster_forge.adapters.disk.os_errors import translated
from cluster_forge.adapters.workspace import state_folder
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import WorkspaceError

_LONGEST_HOLDER: Final = 1_000
"""Bytes of ``lock.holder``."""


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

        plain_files.make_folder(self._state)
        lock, holder = self._state / "lock", self._state / "lock.holder"
        plain_files.check_file(lock)
        with contextlib.ExitStack() as taken:
            try:
                taken.enter_context(FileLock(lock, timeout=patience, thread_local=False))
            except Timeout as error:
                raise WorkspaceError(
                    f"the workspace is in use by {_holder_text(holder)}",
                    where=str(self._state.parent),
                    fix="wait until that command is done, or stop it",
                ) from error
            self._recover()  # first: on a full disk, this frees space
            state_folder.prepare(self._state)
            descriptor = plain_files.open_own(holder, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            taken.callback(holder.unlink, missing_ok=True)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_own_text().encode(errors="backslashreplace"))
            self._release = taken.pop_all()

    def _recover(self) -> None:
        """Complete or remove what dead runs of this user left."""
        left = sorted(self._state.glob(f"{atomic_replace.STAGING}*"))
        secret = user_secret.load() if left else b""
        for staging in left:
            atomic_replace.recover(staging, root=self._state.parent, secret=secret)


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
        return plain_files.read(holder, _LONGEST_HOLDER).decode(errors="replace") or "another process"
    except (OSError, WorkspaceError):
        return "another process"
