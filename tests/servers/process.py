"""Server programs that a test starts and stops."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STARTS_WITHIN_SECONDS = 180
SHOWN_BYTES = 4000


class ServerDiedError(Exception):
    """A server ended, or was not ready in time; the message is the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server's process and where its log is."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Return when it is ready.

        Raises:
            ServerDiedError: if it ends, or is not ready in time.
        """
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if is_ready():
                return
            time.sleep(0.05)
        tail = self.log.read_bytes()[-SHOWN_BYTES:].decode(errors="replace")
        raise ServerDiedError(f"{self.name} (exit code {self.process.poll()}) did not get ready:\n{tail}")

    def stop(self) -> None:
        """End it by force: there is nothing to save, and some servers take seconds to end in peace."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


def start(
    name: str, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> Server:
    """Start a server program; ``folder`` is its working directory, and keeps its log."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        # The programs that Go builds end with their standard input, and that with this process.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=folder, env=environment
        )
    return Server(name=name, process=process, log=log)
