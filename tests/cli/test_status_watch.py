"""status --watch shows at once what it looks at, and ends when its output is read no longer."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from tests.cli.conftest import Workspace
from tests.cli.terminal import Terminal

from cluster_forge.cli.status_watch import has_lost_reader

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: silent
contexts: [{name: silent, context: {cluster: silent, user: silent}}]
clusters: [{name: silent, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: silent, user: {}}]
"""
PROGRAM = Path(sys.executable).with_name("cluster-forge")


def test_a_terminal_shows_something_before_the_cluster_answers(workspace: Workspace, tmp_path: Path) -> None:
    """A server that takes the connection, and says nothing."""
    workspace.ok("forge")
    with socket.create_server(("127.0.0.1", 0)) as server:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(KUBECONFIG % server.getsockname()[1], encoding="utf-8")
        words = ("status", "--watch", "--kubeconfig", kubeconfig)
        with Terminal(PROGRAM, *words, cwd=workspace.folder) as terminal:
            terminal.until(lambda lines: any(line.startswith("looking at stacks/") for line in lines))
            assert terminal.process.poll() is None


def test_a_pipe_without_a_reader_is_seen() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        assert not has_lost_reader(stream)
        os.close(reading)
        assert has_lost_reader(stream)
