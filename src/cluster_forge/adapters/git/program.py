"""The ``git`` program: each call with limits of time and size, without prompts, hooks and the caller's repository."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Final

from cluster_forge.adapters.git.logins import NO_LOGIN, GitLogin
from cluster_forge.foundation.errors import MissingProgramError
from cluster_forge.foundation.stopping import if_stopped

_OF_A_REPOSITORY: Final = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_CEILING_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_TEMPLATE_DIR",
        "GIT_WORK_TREE",
    }
)
"""What names another repository, as in a hook that calls this program (``git rev-parse --local-env-vars``). The user's own
configuration in the environment stays (``GIT_CONFIG_COUNT``, ``GIT_SSH_COMMAND``, ``GIT_ASKPASS``)."""
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.bigFileThreshold=16m",  # larger files are not kept in memory
    "fetch.recurseSubmodules=no",
    "fetch.negotiationAlgorithm=noop",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.version=2",
    "pack.threads=1",
)
_MOST: Final = 64 << 20
_TEXT_LIMIT: Final = 64 << 10
_CHUNK: Final = 1 << 16
_PAUSE: Final = 0.2
"""Seconds between two looks at what a call has written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLimits:
    """Of one call: seconds in all and without any sign of life; bytes that a repository may grow to."""

    whole: float = 900.0
    silence: float = 120.0
    repository: int = 2 << 30


@dataclass(frozen=True, slots=True)
class Access:
    """What a call may reach: the protocols, separated by colons; and how: the login, and settings of Git (``-c``)."""

    protocols: str = ""
    login: GitLogin = NO_LOGIN
    settings: tuple[str, ...] = ()


NO_ACCESS: Final = Access()


class GitError(Exception):
    """A call that failed; ``text`` is what it said, or why it was ended."""

    def __init__(self, text: str, *, is_limit: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.is_limit = is_limit


class GitProgram:
    """Calls of ``git`` with the user's configuration: credential helpers, SSH agent, proxies and ``insteadOf`` work as usual.

    Nothing of a repository is executed: no hooks, no filters, no templates, nothing is checked out.
    """

    def __init__(self, limits: GitLimits | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._limits = limits or GitLimits()
        self._given = os.environ if environment is None else environment

    @cached_property
    def _path(self) -> str:
        path = shutil.which("git", path=self._given.get("PATH"))
        if not path:
            raise MissingProgramError(
                "the program 'git' is not on PATH, and sources in Git need it",
                fix="install Git 2.30 or newer, or use a mirror that has them: --mirror DIR",
            )
        return path

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        access: Access = NO_ACCESS,
        *,
        stdin: bytes = b"",
        most: int = _MOST,
    ) -> bytes:
        """What a call in the bare repository ``folder`` writes, of ``most`` bytes at most.

        Raises:
            GitError: if it fails or passes a limit.
            MissingProgramError: if there is no ``git``.
        """
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            settings = [
                part for setting in (*_SETTINGS, *access.login.settings, *access.settings) for part in ("-c", setting)
            ]
            process = subprocess.Popen(  # noqa: S603 - a list, no shell
                [self._path, *settings, *arguments],
                cwd=folder,
                env=self._environment(folder, access),
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # no terminal to ask at, and one group to end
            )
        return _Call(process, folder, self._limits, most).output()

    def _environment(self, folder: Path, access: Access) -> dict[str, str]:
        kept = {
            name: value
            for name, value in self._given.items()
            if name not in _OF_A_REPOSITORY and not name.startswith("GIT_TRACE")
        }
        return {
            **kept,
            **access.login.environment,
            "GIT_DIR": str(folder),
            "GIT_ALLOW_PROTOCOL": access.protocols,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "SSH_ASKPASS_REQUIRE": kept.get("SSH_ASKPASS_REQUIRE", "never"),
            "LC_ALL": "C",
        }


class _Call:
    """A process that is watched until it ends."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, limits: GitLimits, most: int) -> None:
        self._process = process
        self._folder = folder
        self._limits = limits
        self._most = most
        self._output = bytearray()
        self._said = bytearray()
        self._is_too_long = False
        self._last_sign = time.monotonic()

    def output(self) -> bytes:
        assert self._process.stdout
        assert self._process.stderr
        output = threading.Thread(target=self._read_output, args=(self._process.stdout,), daemon=True)
        messages = threading.Thread(target=self._read_messages, args=(self._process.stderr,), daemon=True)
        output.start()
        messages.start()
        try:
            with if_stopped(self._end):
                problem = self._watch()
        finally:
            self._end()
        messages.join(_PAUSE)  # a helper that goes on may hold it open, like ssh's master
        output.join(self._limits.silence)
        if self._is_too_long or output.is_alive():
            problem = problem or "more output than expected"
        if problem:
            raise GitError(problem, is_limit=True)
        if self._process.returncode:
            raise GitError(self._said.decode(errors="replace"))
        return bytes(self._output)

    def _watch(self) -> str:
        """Wait for the end; why the process must be ended before, or nothing."""
        end, size, is_running = time.monotonic() + self._limits.whole, 0, True
        while is_running:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PAUSE)
                is_running = False
            now, before, size = time.monotonic(), size, _size(self._folder)
            if size != before:
                self._last_sign = now
            if self._is_too_long:
                return "more output than expected"
            if size > self._limits.repository:
                return f"more than {self._limits.repository >> 20:,} MiB"
            if is_running and now > end:
                return f"not complete after {self._limits.whole:g} s"
            if is_running and now - self._last_sign > self._limits.silence:
                return f"no sign of life for {self._limits.silence:g} s"
        return ""

    def _end(self) -> None:
        """End the process with everything that it started: ``ssh``, helpers."""
        if self._process.poll() is None:
            with suppress(OSError):
                if os.name == "posix":
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    self._process.kill()
            self._process.wait()

    def _read_output(self, pipe: IO[bytes]) -> None:
        for part in self._parts(pipe):
            if len(self._output) + len(part) > self._most:
                self._is_too_long = True
            else:
                self._output += part

    def _read_messages(self, pipe: IO[bytes]) -> None:
        for part in self._parts(pipe):
            self._said += part
            del self._said[:-_TEXT_LIMIT]

    def _parts(self, pipe: IO[bytes]) -> Iterator[bytes]:
        with pipe:
            while part := pipe.read1(_CHUNK):  # type: ignore[attr-defined] # a BufferedReader
                self._last_sign = time.monotonic()
                yield part


def _size(folder: Path) -> int:
    """The bytes below a folder in which files come and go."""
    size = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.lstat(Path(root, name)).st_size
    return size
