"""The command line on a pseudo-terminal, forked from a process that has imported everything: that saves half a second each time.

This module is also that process: ``python -m tests.cli.forking FD`` takes requests from the socket ``FD``.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import importlib
import json
import os
import pkgutil
import pty
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

import cluster_forge

PROJECT = Path(__file__).resolve().parents[2]
NOT_FORKED = ("cluster_forge.__main__", "cluster_forge.adapters")
"""Adapters load Helm's library, which does not survive a fork."""
LARGEST_REQUEST = 1 << 20


class Forks:
    """The process that forks, from its parent's side."""

    def __init__(self) -> None:
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            command = [sys.executable, "-m", "tests.cli.forking", str(other.fileno())]
            self._process = subprocess.Popen(command, cwd=PROJECT, pass_fds=[other.fileno()])

    def start(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], size: tuple[int, int]
    ) -> tuple[int, int]:
        """Run the command line; its process, and the terminal's other end."""
        self._send(
            {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment), "size": size}
        )
        answer, descriptors, _, _ = socket.recv_fds(self._socket, LARGEST_REQUEST, 1)
        return int(answer), descriptors[0]

    def exit_code(self, process: int) -> int:
        """Wait for the end of a process; its exit code, negative if a signal ended it."""
        self._send({"wait": process})
        return int(self._socket.recv(LARGEST_REQUEST))

    def close(self) -> None:
        self._socket.close()
        self._process.wait()

    def _send(self, request: Mapping[str, object]) -> None:
        self._socket.send(json.dumps(request).encode())


def serve(requests: socket.socket) -> None:
    for module in pkgutil.walk_packages(cluster_forge.__path__, "cluster_forge."):
        if not module.name.startswith(NOT_FORKED):
            importlib.import_module(module.name)
    while content := requests.recv(LARGEST_REQUEST):
        request = json.loads(content)
        if "wait" in request:
            requests.send(str(os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])).encode())
            continue
        child, terminal = pty.fork()
        if not child:
            requests.close()
            run(**request)
        socket.send_fds(requests, [str(child).encode()], array.array("i", [terminal]))
        os.close(terminal)


def run(arguments: Sequence[str], folder: str, environment: Mapping[str, str], size: tuple[int, int]) -> None:
    """In the new process: become what a shell would have started."""
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["cluster-forge", *arguments]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as the interpreter has them, until the end
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    from cluster_forge.__main__ import main  # noqa: PLC0415 - the parent does not need it

    code: object = 1
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
