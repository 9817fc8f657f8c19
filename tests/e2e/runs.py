"""How pytest runs on test clusters: all tests in three processes, each in a network and on a cluster of its own; tests that are
named, or with ``-n0``, in one.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.e2e import network

PROCESSES = 3
"""A test and its cluster use half a core: the rest of the time they wait, for Pods, leases and Argo CD."""
ONE_PROCESS = ("-n0", "--numprocesses=0", "--pdb", "-s")
TESTS = "tests/e2e"


def run(folder: Path, arguments: Sequence[str]) -> int:
    """Run the tests with arguments for pytest, in networks of their own; ``folder`` gets their names. The exit code."""
    is_one = has_path(arguments) or any(argument in ONE_PROCESS for argument in arguments)
    options = [] if is_one else _processes(folder)
    # Also around pytest with its processes: whatever ends it, the kernel ends all that it started.
    with subprocess.Popen(network.command(folder, pytest([*options, *arguments]))) as process:
        # Ctrl-C reaches pytest as well, which ends in peace.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: process.kill())
        return process.wait()


def pytest(arguments: Sequence[str]) -> list[str]:
    """The command; of all tests, unless some are named."""
    return [sys.executable, "-m", "pytest", "--e2e", *([] if has_path(arguments) else [TESTS]), *arguments]


def has_path(arguments: Sequence[str]) -> bool:
    """Whether one of the arguments is a file with tests, or a test in it."""
    return any(not argument.startswith("-") and Path(argument.partition("::")[0]).exists() for argument in arguments)


def _processes(folder: Path) -> list[str]:
    """Have pytest-xdist start its processes in networks: the command of an interpreter may have more than one word."""
    options = ["--dist=loadfile"]
    for number in range(PROCESSES):
        place = folder / str(number)
        place.mkdir()
        interpreter = shlex.join(map(str, network.command(place, [sys.executable])))
        options.append(f"--tx=popen//python={interpreter}")
    return options
