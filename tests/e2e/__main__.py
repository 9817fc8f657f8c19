"""``python -m tests.e2e VERB``: the test cluster, and the tests on it.

``test [--kubeconfig FILE] [PYTEST_ARG…] [PATH…]`` runs the tests marked ``e2e`` (those in the files that are named) in a network
of their own, or on the cluster of a kubeconfig.
``up FOLDER [--nodes N] [--standin] [--argocd | --argocd-when-delivered] [--flux]`` starts a cluster and leaves it running, ``down FOLDER`` ends it; its logs stay. `tests.e2e.held` is what runs meanwhile.
``--argocd-version MINOR`` (of ``test`` and ``up``) tries another Argo CD than the newest: those in ``argo_cd/``.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.e2e import network, program, runs
from tests.e2e.held import LOG, PID, READY
from tests.servers import registry
from tests.servers.go_program import CannotBuildError, GoProgram

NEEDED = {"kubectl": "kubectl", "git": "git", "openssl": "openssl", "redis-server": "redis-server"}
STARTS_WITHIN_SECONDS = 400
STARTED = """\
The cluster runs. Its kubeconfig is {folder}/kubeconfig, its logs are in {folder}; it can be reached from its own network only:

  {run} kubectl get nodes
  {run} cluster-forge -C W deploy

python -m tests.e2e down {folder} ends it.
"""
RUN = """\
#!/bin/sh
# Run a command in the network of the cluster, with its kubeconfig.
exec {entering} --wdns="$PWD" env KUBECONFIG={folder}/kubeconfig {hosts}={folder}/hosts "$@"
"""


class CannotRunError(Exception):
    """Something is missing here, or did not start; the message says what to do."""


def test(*arguments: str) -> int:
    """Run the tests: in networks of their own, unless another cluster is given."""
    if any(argument.startswith("--kubeconfig") for argument in arguments):
        return subprocess.call(runs.pytest(arguments))
    _prepare(program.argo_cd().program, program.flux(), registry.PROGRAM)
    with tempfile.TemporaryDirectory(prefix="cluster-forge-e2e-") as folder:
        return runs.run(Path(folder), arguments)


def up(folder: str, *options: str) -> int:
    """Start a cluster, wait until it is ready, and leave it running."""
    place = Path(folder).absolute()
    if (place / PID).exists():
        raise CannotRunError(f"a cluster of {place} was started already: `python -m tests.e2e down {place}` ends it")
    _prepare(program.argo_cd().program, *([program.flux()] if "--flux" in options else []))
    if (place / LOG).exists():  # of a cluster that was here before
        shutil.rmtree(place)
    place.mkdir(parents=True, exist_ok=True)
    command = network.command(place, [sys.executable, "-m", "tests.e2e.held", place, *options])
    with (place / LOG).open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=network.PROJECT, start_new_session=True
        )
    (place / PID).write_text(str(process.pid))
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while not (place / READY).exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            (place / PID).unlink()
            raise CannotRunError(f"the cluster did not start:\n{(place / LOG).read_text()[-4000:]}")
        time.sleep(0.1)
    run = place / "run"
    run.write_text(RUN.format(entering=shlex.join(_entering(process.pid)), folder=place, hosts=network.HOSTS))
    run.chmod(0o755)
    sys.stdout.write(STARTED.format(folder=place, run=run))
    return 0


def down(folder: str) -> int:
    """End a cluster that `up` started."""
    place = Path(folder).absolute()
    try:
        process = int((place / PID).read_text())
    except FileNotFoundError:
        raise CannotRunError(f"no cluster was started in {place}") from None
    # Another process may have that number by now. With the first process of the namespaces, the kernel ends all others.
    if str(place).encode() in _command_of(process):
        os.kill(process, signal.SIGKILL)
    (place / PID).unlink()
    return 0


def _prepare(*others: GoProgram) -> None:
    """Build what is missing of the control plane and ``others``: nothing leads out of the network in which they run.

    Raises:
        CannotRunError: if a program or a right is missing; with all of them.
        CannotBuildError: if Go is missing or fails.
    """
    problems = [
        f"`{name}` is not on PATH: install {package}" for name, package in NEEDED.items() if not shutil.which(name)
    ]
    problems += network.problems()
    if problems:
        raise CannotRunError("the test cluster cannot run here:\n" + "\n".join(f"- {problem}" for problem in problems))
    for one in (program.control_plane(), *others):
        one.build()


def _entering(process: int) -> list[str]:
    """The beginning of a command that runs in the network of an `up`: its process waits for the first of the namespaces."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return network.entering(int(children[0]))


def _command_of(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


VERBS: Mapping[str, Callable[..., int]] = {"test": test, "up": up, "down": down}


def main(verb: str = "", *arguments: str) -> int:
    """Do what the command line says; the exit code."""
    if verb not in VERBS or (verb != "test" and (not arguments or arguments[0].startswith("-"))):
        sys.stderr.write(f"usage:\n{__doc__}\n")
        return 2
    parser = argparse.ArgumentParser(prog=f"python -m tests.e2e {verb}", add_help=False, allow_abbrev=False)
    parser.add_argument("--argocd-version", choices=program.argo_cds())
    chosen, rest = parser.parse_known_args(arguments)
    if chosen.argocd_version:  # what is started here, in whatever process, tries this one
        os.environ[program.CHOSEN_ARGO_CD] = chosen.argocd_version
    try:
        return VERBS[verb](*rest)
    except (CannotBuildError, CannotRunError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
