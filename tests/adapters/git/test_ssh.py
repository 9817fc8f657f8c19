"""Git over SSH, with OpenSSH's server and client: whose keys are used, and what is said when a connection fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.git_worktree import Worktree
from tests.servers import git_ssh
from tests.servers.git_ssh import SshServer, new_key

from cluster_forge.adapters.git.program import GitProgram
from cluster_forge.adapters.git.remote_trees import RemoteTrees
from cluster_forge.adapters.http.policy import Policy
from cluster_forge.foundation.errors import FetchError
from cluster_forge.foundation.git_addresses import GitAddress

pytestmark = pytest.mark.skipif(git_ssh.PROGRAM is None, reason=git_ssh.MISSING)
FILES = {"charts/shop/Chart.yaml": b"name: shop\nversion: 1.0.0\n", "deploy/one.yaml": b"kind: A\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Worktree:
    work = Worktree(tmp_path / "repo")
    work.commit({**FILES, "large.bin": os.urandom(1 << 20)}, tag="v1")
    return work


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with git_ssh.serving(tmp_path / "ssh") as running:
        yield running


def files(address: str, retries: int = 0, /, **environment: str) -> Mapping[str, bytes]:
    clean = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent", **environment}
    policy = Policy(retries=retries, first_pause=0.01, longest_pause=0.05)
    trees, parsed = RemoteTrees(program=GitProgram(environment=clean), policy=policy), GitAddress.parse(address)
    return trees.files(parsed, trees.commit(parsed)).files


def message(address: str, **environment: str) -> str:
    start = time.monotonic()
    with pytest.raises(FetchError) as caught:
        files(address, **environment)
    assert time.monotonic() - start < 10
    text = f"{caught.value} | {caught.value.fix}"
    assert "Could not read from remote repository" not in text
    return text


@contextmanager
def agent(folder: Path) -> Iterator[str]:
    """The socket of a running agent without keys."""
    socket = folder / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL) as process:
        try:
            while not socket.exists():
                assert process.poll() is None
                time.sleep(0.01)
            yield str(socket)
        finally:
            process.kill()


@pytest.mark.parametrize(("path", "takes_protocol"), [("charts", True), ("deploy", False)])
def test_charts_and_manifests_are_read(repository: Worktree, tmp_path: Path, path: str, takes_protocol: bool) -> None:
    expected = {name: content for name, content in FILES.items() if name.startswith(path)}
    with git_ssh.serving(tmp_path / "ssh", takes_protocol=takes_protocol) as server:
        address = f"{server.address(repository.folder)}@v1//{path}"
        assert files(address, GIT_SSH_COMMAND=server.client) == expected


def test_hosts_and_keys_of_the_ssh_configuration_are_used(
    repository: Worktree, server: SshServer, tmp_path: Path
) -> None:
    user = server.address(repository.folder).partition("@")[0]
    (tmp_path / ".gitconfig").write_text(f"[core]\n\tsshCommand = {server.client}\n")
    assert files(f"{user}@git.example.com{repository.folder}@v1//deploy", HOME=str(tmp_path))


def test_a_key_with_a_passphrase_is_used_from_the_agent_only(
    repository: Worktree, server: SshServer, tmp_path: Path
) -> None:
    address = f"{server.address(repository.folder)}@v1//charts"
    plain = (server.folder / "user").rename(tmp_path / "plain")
    locked = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "s3cr3t-word", "-f", str(server.folder / "user")]
    shutil.copy(plain, server.folder / "user")
    subprocess.run(locked, check=True, stdout=subprocess.DEVNULL)
    with agent(tmp_path) as socket:
        known = {"SSH_AUTH_SOCK": socket, "GIT_SSH_COMMAND": server.client}
        assert "the SSH server refuses every key" in message(address, **known)
        subprocess.run(["ssh-add", "-q", plain], check=True, env={**os.environ, "SSH_AUTH_SOCK": socket})
        assert files(address, **known)


def test_a_wrong_key(repository: Worktree, server: SshServer, tmp_path: Path) -> None:
    (server.folder / "user.pub").write_text(new_key(tmp_path / "other").with_suffix(".pub").read_text())
    text = message(f"{server.address(repository.folder)}@v1", GIT_SSH_COMMAND=server.client)
    assert "the SSH server refuses every key" in text
    assert "Permission denied (publickey)" in text
    assert "`ssh-add -l`" in text


@pytest.mark.parametrize("checking", ["ask", "yes"])
def test_an_unknown_host_key(repository: Worktree, server: SshServer, checking: str) -> None:
    (server.folder / "known_hosts").unlink()
    client = f"{server.client} -o StrictHostKeyChecking={checking}"
    text = message(f"{server.address(repository.folder)}@v1", GIT_SSH_COMMAND=client)
    assert "the SSH server's host key is not in known_hosts" in text
    assert "connect once: `git ls-remote ssh://" in text
    assert not (server.folder / "known_hosts").exists()


def test_a_host_key_that_has_changed(repository: Worktree, server: SshServer, tmp_path: Path) -> None:
    server.knows(new_key(tmp_path / "before"))
    text = message(f"{server.address(repository.folder)}@v1", GIT_SSH_COMMAND=server.client)
    assert "the SSH server has another host key than the one in known_hosts" in text
    assert "ssh-keygen -R" in text
    assert f"Offending ED25519 key in {server.folder}/known_hosts:1" in text


def test_a_server_that_is_gone(repository: Worktree, tmp_path: Path) -> None:
    with git_ssh.serving(tmp_path / "ssh") as server:
        address = f"{server.address(repository.folder)}@v1"
    text = message(address, GIT_SSH_COMMAND=server.client)
    assert "the SSH server cannot be reached" in text
    assert "Connection refused" in text
    assert "check host and port" in text


def test_a_name_that_does_not_resolve() -> None:
    text = message("git+ssh://git@git.invalid/team/repo", GIT_SSH_COMMAND="ssh -F none")
    assert "the SSH server cannot be reached" in text
    assert "Could not resolve hostname git.invalid" in text


def test_no_such_repository(server: SshServer, tmp_path: Path) -> None:
    text = message(server.address(tmp_path / "none"), GIT_SSH_COMMAND=server.client)
    assert "there is no such repository, or not for these credentials" in text


def test_no_ssh_program(repository: Worktree, server: SshServer) -> None:
    text = message(server.address(repository.folder), GIT_SSH_COMMAND="/nonexistent/ssh")
    assert "the program 'ssh' cannot be started" in text


def test_connections_that_are_closed_are_tried_again(repository: Worktree, server: SshServer) -> None:
    server.faults = 0.7
    assert files(f"{server.address(repository.folder)}@v1//charts", 12, GIT_SSH_COMMAND=server.client)
    assert server.connections > 3
