"""The control plane says what it is, and nothing of it is left behind."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from tests.e2e import program
from tests.e2e.certificates import Certificates
from tests.e2e.polling import until
from tests.e2e.servers import control_plane
from tests.servers.process import ServerDiedError

PROJECT = Path(__file__).parents[2]
pytestmark = pytest.mark.e2e
STARTS = """
import sys
from pathlib import Path
from tests.e2e.certificates import Certificates
from tests.e2e.servers import control_plane

program, folder = map(Path, sys.argv[1:])
with control_plane(program, Certificates(folder), folder) as http:
    print(http.port, flush=True)
    sys.stdin.read()
"""


def test_the_server_is_of_the_pinned_release(
    control_plane_program: Path, certificates: Certificates, tmp_path: Path
) -> None:
    with control_plane(control_plane_program, certificates, tmp_path) as http:
        reported = orjson.loads(http.request("GET", "/version").data)
    version, major, minor = program.kubernetes()
    assert (reported["gitVersion"], reported["major"], reported["minor"]) == (version, str(major), str(minor))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["etcd.log", "kube-apiserver.log"]


def test_it_ends_with_the_process_that_started_it(control_plane_program: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [sys.executable, "-c", STARTS, control_plane_program, tmp_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert is_open(port)
        process.kill()
    until(lambda: not is_open(port), "the servers have ended")


def test_a_server_that_dies_shows_its_log(certificates: Certificates, tmp_path: Path) -> None:
    script = tmp_path / "control-plane"
    script.write_text("#!/bin/sh\necho no $1 today\nexit 3\n")
    script.chmod(0o755)
    message = re.escape("etcd (exit code 3) did not get ready:\nno etcd today")
    with pytest.raises(ServerDiedError, match=message), control_plane(script, certificates, tmp_path):
        pass


def is_open(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
