"""The network of the test cluster: a namespace of its own, in which every Service address and every name is of this machine.

``python -m tests.e2e.network FOLDER COMMAND…`` sets it up and runs a command in it; `command` starts that in new namespaces
(network, mounts and processes; ``unshare`` of util-linux, namespaces(7)). They need no name and end with the command, with
every process in them, however it ends. Reasons: ADR 0036.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.e2e import nodes

HOSTS = "CLUSTER_FORGE_E2E_HOSTS"
"""The variable that a process in such a network has: the file that is ``/etc/hosts`` there."""
SERVICES = "10.96.0.0/12"
"""Services of the first cluster are in ``10.96.0.0/16``, of the second in ``10.97.0.0/16``, and so on."""
LOCALHOST = "127.0.0.1 localhost\n"
PROGRAMS = {"unshare": "util-linux", "mount": "mount", "nsenter": "util-linux", "ip": "iproute2"}
PROJECT = Path(__file__).resolve().parents[2]


def is_inside() -> bool:
    """Whether this process is in such a network."""
    return HOSTS in os.environ


def problems() -> list[str]:
    """Why there cannot be such a network here."""
    missing = [f"`{name}` is not on PATH: install {package}" for name, package in PROGRAMS.items() if not _path(name)]
    if missing:
        return missing
    tried = subprocess.run([*_unshared(), "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        return [f"no namespaces here ({tried.stderr.strip()}): run as root, or where user namespaces are allowed"]
    return []


def command(folder: Path, inner: Sequence[str | Path]) -> list[str | Path]:
    """The command that runs ``inner`` in a new network; ``folder`` gets its ``/etc/hosts``."""
    return [*_unshared(), sys.executable, "-m", "tests.e2e.network", folder, *inner]


def entering(process: int) -> list[str]:
    """The beginning of a command that runs in the namespaces of a process, which has to be the first of them."""
    user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
    return ["nsenter", f"--target={process}", *user, "--net", "--mount", "--pid"]


def write_names(names: Mapping[str, Iterable[str]]) -> None:
    """Let these names, and no others, be at these addresses."""
    lines = [f"{address} {' '.join(sorted(aliases))}\n" for address, aliases in sorted(names.items())]
    # The file is mounted: it has to stay the same one.
    Path(os.environ[HOSTS]).write_text("".join([LOCALHOST, *lines]))


def main(folder: str, *inner: str) -> int:
    """Be the first process of the namespaces: set the network up, run the command, end with it."""
    hosts = Path(folder) / "hosts"
    hosts.write_text(LOCALHOST)
    for line in (
        "ip link set lo up",
        f"ip address add {nodes.ADDRESS}/32 dev lo",
        f"ip route add local {SERVICES} dev lo",
    ):
        subprocess.run([_path("ip") or "ip", *line.split()[1:]], check=True)
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    # When this process ends, the kernel ends all others. Ctrl-C reaches the command as well, which ends in peace.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, lambda *_: None)
    return subprocess.call(inner, env={**os.environ, HOSTS: str(hosts)})


def _unshared() -> list[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def _path(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
