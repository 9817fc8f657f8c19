"""status --watch shows at once what it looks at, goes on while a cluster does not answer, and ends when its output is read no
longer.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Workspace
from tests.cli.terminal import Terminal

from cluster_forge.cli.status_watch import Changes, has_lost_reader, keep_looking
from cluster_forge.foundation.errors import ClusterError, ForgeError, RefusedError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.stages.deliver.look.component_status import ComponentStatus, Condition, Sync
from cluster_forge.stages.deliver.status import StackStatus

WEB = ComponentStatus(
    name=ComponentName("web"), version="1", deployed="1", sync=Sync.SYNCED, condition=Condition.HEALTHY
)
SEEN = StackStatus(stack="demo", version="v-1", release=None, components=(WEB,))
HEALTHY = ["web Synced, Healthy", "demo v-1: 1 of 1 component healthy"]
AWAY = ClusterError("connection refused")
EXPIRED = RefusedError("token expired", status=401, reason="Unauthorized")


def watched(*looks: StackStatus | ForgeError, ends: type[BaseException]) -> list[str]:
    """The lines that these looks print, until the error that ends them."""
    lines: list[str] = []
    left: Iterator[StackStatus | ForgeError] = iter(looks)

    def look() -> StackStatus:
        seen = next(left, None)
        if seen is None:
            raise KeyboardInterrupt
        if isinstance(seen, ForgeError):
            raise seen
        return seen

    with pytest.raises(ends):
        keep_looking(look, Changes(lines.append), pause=0.0)
    return lines


def test_a_cluster_that_does_not_answer_for_a_while_is_said_once() -> None:
    lines = watched(SEEN, SEEN, AWAY, AWAY, SEEN, ends=KeyboardInterrupt)
    assert lines == [*HEALTHY, "connection refused", *HEALTHY]


def test_what_does_not_go_away_by_waiting_ends_it() -> None:
    assert watched(SEEN, EXPIRED, SEEN, ends=RefusedError) == HEALTHY


def test_the_first_look_must_succeed() -> None:
    assert watched(AWAY, SEEN, ends=ClusterError) == []


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
