"""What docker, skopeo and curl on this machine make of the same files: each reads what the other has written."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.login_server import LoginServer, serving

from cluster_forge.adapters.credentials.auth_file_keeper import AuthFileKeeper
from cluster_forge.adapters.credentials.lookup import UserCredentials
from cluster_forge.adapters.credentials.user_files import UserFiles

PASSWORD = "pä:ss#w"


@pytest.fixture
def server() -> Iterator[LoginServer]:
    with serving(LoginServer(passwords={"me": PASSWORD})) as running:
        yield running


@pytest.fixture
def files(tmp_path: Path) -> UserFiles:
    (tmp_path / "run").mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}
    return UserFiles({**environment, "XDG_RUNTIME_DIR": str(tmp_path / "run")}, tmp_path)


def run(files: UserFiles, *command: str, given: str = "") -> str:
    """What a program prints; the test is skipped where it is not installed."""
    if not shutil.which(command[0]):
        pytest.skip(f"needs the {command[0]} program")
    done = subprocess.run(
        command, env=dict(files.environment), input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def login(files: UserFiles, url: str) -> tuple[str, str, str]:
    found = UserCredentials(files).of(url)
    assert found
    return found.user, found.secret, found.source


def test_what_docker_keeps_is_read_and_what_is_kept_docker_removes(server: LoginServer, files: UserFiles) -> None:
    host = server.address.removeprefix("http://")
    run(files, "docker", "login", "-u", "me", "--password-stdin", host, given=PASSWORD)
    assert login(files, f"{server.address}/v2/") == ("me", PASSWORD, "~/.docker/config.json")
    assert AuthFileKeeper(files).forget(host) == "~/.docker/config.json"
    assert UserCredentials(files).of(f"{server.address}/v2/") is None
    AuthFileKeeper(files).keep(host, "me", PASSWORD)
    run(files, "docker", "logout", host)
    assert UserCredentials(files).of(f"{server.address}/v2/") is None


def test_what_is_kept_skopeo_uses(server: LoginServer, files: UserFiles) -> None:
    host = server.address.removeprefix("http://")
    AuthFileKeeper(files).keep(host, "me", PASSWORD)
    assert run(files, "skopeo", "login", "--get-login", host) == "me\n"
    run(files, "skopeo", "list-tags", "--tls-verify=false", f"docker://{host}/team/app")
    assert [fields["account"] for _, fields in server.asked] == [["me"]]


def test_what_skopeo_keeps_for_a_part_of_a_registry_is_read(server: LoginServer, files: UserFiles) -> None:
    host = server.address.removeprefix("http://")
    name = f"{host}/team/app"
    run(files, "skopeo", "login", "--tls-verify=false", "-u", "me", "--password-stdin", name, given=PASSWORD)
    assert login(files, f"http://{host}/v2/team/app/manifests/1") == ("me", PASSWORD, "~/run/containers/auth.json")
    assert UserCredentials(files).of(f"http://{host}/v2/team/other/manifests/1") is None


@pytest.mark.parametrize(
    "text", ["machine 127.0.0.1 login me password {}", "machine 127.0.0.1\n\tlogin me\n\tpassword {}\n# end"]
)
def test_netrc_is_read_as_curl_reads_it(server: LoginServer, files: UserFiles, tmp_path: Path, text: str) -> None:
    (tmp_path / ".netrc").write_text(text.format(PASSWORD), encoding="utf-8")
    run(files, "curl", "--silent", "--fail", "--netrc", f"{server.address}/basic/index.yaml")
    assert login(files, f"{server.address}/basic/index.yaml") == ("me", PASSWORD, "~/.netrc")
