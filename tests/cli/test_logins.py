"""login, logout and auth status, and fetching with what they show: against a server that checks every request."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
import yaml
from tests.archives import archive
from tests.cli.conftest import CHART, PROGRAM, Result, Workspace
from tests.servers.login_server import LoginServer, serving
from tests.servers.registry import PASSWORD as DISTRIBUTION_PASSWORD
from tests.servers.registry import USER

from cluster_forge.foundation import addresses

PASSWORD = "canary:pässword"


@pytest.fixture
def server() -> Iterator[LoginServer]:
    release = {"name": "shop", "version": "2.0.0", "urls": ["shop.tgz"]}
    chart = archive("shop", CHART | {"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 2.0.0\n"})
    files = {"/basic/index.yaml": yaml.safe_dump({"entries": {"shop": [release]}}).encode(), "/basic/shop.tgz": chart}
    with serving(LoginServer(passwords={"me": PASSWORD}, files=files)) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """The surroundings of a user who has nothing but a home folder."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "PYTHONPATH", "SYSTEMROOT")}
    return {**kept, "HOME": str(home), "NO_PROXY": "127.0.0.1", "GIT_CONFIG_NOSYSTEM": "1", "COLUMNS": "200"}


def run(workspace: Workspace, environment: dict[str, str], *arguments: str, given: str = "") -> Result:
    done = subprocess.run(
        [PROGRAM, *arguments],
        cwd=workspace.folder,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        encoding="utf-8",
    )
    assert "canary" not in f"{done.stdout}{done.stderr}"
    return Result(done.returncode, done.stdout, done.stderr)


def with_chart(workspace: Workspace, address: str) -> Workspace:
    component = (
        f'components:\n- {{name: shop, namespace: shop, helm: {{repository: "{address}/basic", chart: shop}}}}\n'
    )
    workspace.replace("input/config.yaml", "components:\n", component)
    return workspace


def test_a_login_is_tried_and_kept_and_used_and_removed(
    workspace: Workspace, server: LoginServer, environment: dict[str, str], home: Path
) -> None:
    with_chart(workspace, server.address)
    host = addresses.without_credentials(server.address).removeprefix("http://")
    refused = run(workspace, environment, "mine")
    assert refused.code == 13
    assert f"401 Unauthorized\n  fix: log in: cluster-forge login {host}" in refused.err
    kept = run(
        workspace,
        environment,
        "login",
        f"{server.address}/basic",
        "-u",
        "me",
        "--password-stdin",
        given=f"{PASSWORD}\n",
    )
    assert (kept.code, kept.out) == (0, f"logged in to {host} as me; kept in ~/.docker/config.json\n"), kept.err
    config = json.loads((home / ".docker" / "config.json").read_text())
    assert config == {"auths": {host: {"auth": base64.b64encode(f"me:{PASSWORD}".encode()).decode()}}}
    assert run(workspace, environment, "mine").code == 0
    lock = workspace.read("cluster-forge.lock")
    assert "canary" not in lock
    assert host in lock
    assert (
        run(workspace, environment, "logout", host).out == f"logged out of {host}: removed from ~/.docker/config.json\n"
    )
    assert run(workspace, environment, "logout", host).out == f"there was no login for {host}\n"


def test_a_registry_is_logged_in_to_by_its_token_service(
    workspace: Workspace, server: LoginServer, environment: dict[str, str], home: Path
) -> None:
    host = server.address.removeprefix("http://")
    server.passwords["robot"] = "token"
    arguments = ("login", host, "-u", "robot", "--password-stdin", "--format", "json")
    kept = run(workspace, environment, *arguments, given="token")
    assert kept.code == 0, kept.err
    assert kept.json.items() >= {"command": "login", "host": host, "user": "robot", "verified": True}.items()
    wrong = run(workspace, environment, "login", host, "-u", "me", "--password-stdin", given="canary-wrong")
    assert wrong.code == 26
    assert "the login is not kept" in wrong.err
    assert (
        "robot"
        in base64.b64decode(json.loads((home / ".docker" / "config.json").read_text())["auths"][host]["auth"]).decode()
    )


@pytest.mark.parametrize(
    ("arguments", "given", "expected"),
    [
        (("login", "a.example", "-u", "me"), "", (2, "there is no terminal to ask for the password")),
        (("login", "a.example", "--password-stdin"), "pw", (2, "needs a user")),
        (("login", "a.example", "-u", "me", "--password-stdin"), "", (2, "the password is empty")),
        (("login", "a.example", "-u", "m:e", "--password-stdin"), "pw", (2, "has no colon")),
        (("login", "a.example", "-u", "me", "--password-stdin"), "a\x1bb", (2, "characters that no password has")),
        (("login", "https://me:canary@a.example", "-u", "me"), "", (2, "is not a host to log in to")),
        (("login", "ftp://a.example", "-u", "me"), "", (2, "is not a host to log in to")),
        (("login", "", "-u", "me"), "", (2, "is not a host to log in to")),
        (("login", "a.example", "-u", "me", "--offline"), "", (14, "--offline")),
        (("login", "a.example", "-p", "canary"), "", (2, "No such option")),
        (("logout", "https://"), "", (2, "is not a host to log in to")),
    ],
)
def test_what_cannot_be_a_login_is_an_error(
    workspace: Workspace, environment: dict[str, str], arguments: tuple[str, ...], given: str, expected: tuple[int, str]
) -> None:
    result = run(workspace, environment, *arguments, given=given)
    assert (result.code, expected[1] in result.err) == (expected[0], True), result.err


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal of POSIX")
def test_the_password_is_asked_for_and_not_shown(
    workspace: Workspace, server: LoginServer, environment: dict[str, str], home: Path
) -> None:
    terminal = pexpect.spawn(
        str(PROGRAM),
        ["login", server.address.removeprefix("http://")],
        env=environment,
        cwd=str(workspace.folder),
        timeout=30,
        encoding="utf-8",
    )
    terminal.expect("User: ")
    terminal.sendline("me")
    terminal.expect("Password: ")
    terminal.sendline(PASSWORD)
    terminal.expect(pexpect.EOF)
    assert "canary" not in (terminal.before or "")
    assert "logged in to" in (terminal.before or "")
    assert (home / ".docker" / "config.json").exists()


def test_status_says_what_is_used_where_and_whether_it_works(
    workspace: Workspace, server: LoginServer, environment: dict[str, str], home: Path
) -> None:
    host = server.address.removeprefix("http://")
    with_chart(workspace, server.address)
    workspace.replace("input/config.yaml", "gitops:", f"image: {{repository: {host}/team/app}}\ngitops:")
    (home / ".netrc").write_text(f"machine {host} login me password {PASSWORD}\n", encoding="utf-8")
    offline = run(workspace, environment, "auth", "status", "--offline")
    assert (offline.code, server.authorizations) == (0, [])
    assert f"{host}: the password of 'me' from ~/.netrc: not tried" in offline.out
    assert run(workspace, environment, "auth", "status").code == 0
    (home / ".netrc").write_text(f"machine {host} login me password canary-wrong\n")
    failing = run(workspace, environment, "auth", "status", "--format", "json")
    assert failing.code == 1
    (shown,) = failing.json["hosts"]
    assert shown["credential"] == {"kind": "password", "user": "me", "source": "~/.netrc"}
    assert shown["trial"]["verdict"] == "refused"
    assert shown["purposes"] == ["shop", "image"]


def test_status_of_a_damaged_place_is_an_answer(
    workspace: Workspace, server: LoginServer, environment: dict[str, str], home: Path
) -> None:
    with_chart(workspace, server.address)
    (home / ".docker").mkdir()
    (home / ".docker" / "config.json").write_text("{canary")
    result = run(workspace, environment, "auth", "status")
    assert result.code == 1
    assert "~/.docker/config.json: the file with credentials is damaged: it is not JSON" in result.out


def test_a_login_in_the_address_holds_for_the_whole_repository(
    workspace: Workspace, server: LoginServer, environment: dict[str, str], home: Path
) -> None:
    """Also for archives that the index has with their whole address, as Helm has it."""
    release = {"name": "shop", "version": "2.0.0", "urls": [f"{server.address}/basic/shop.tgz"]}
    server.files["/basic/index.yaml"] = yaml.safe_dump({"entries": {"shop": [release]}}).encode()
    with_chart(workspace, server.address.replace("://", "://me:canary%3Ap%C3%A4ssword@"))
    result = run(workspace, environment, "forge")
    assert result.code == 0, result.err
    assert "warning[credential-in-url]" in result.err
    written = [path for path in workspace.folder.rglob("*") if path.is_file() and path.name != "config.yaml"]
    assert not [path for path in [*written, *home.rglob("*")] if path.is_file() and b"canary" in path.read_bytes()]


@pytest.mark.parametrize("kind", ["password_registry", "token_registry"])
def test_distributions_registry_takes_a_login(
    request: pytest.FixtureRequest, kind: str, workspace: Workspace, environment: dict[str, str]
) -> None:
    host = request.getfixturevalue(kind).host
    wrong = run(workspace, environment, "login", host, "-u", USER, "--password-stdin", given="canary")
    assert (wrong.code, "the login is not kept" in wrong.err) == (26, True), wrong.err
    arguments = ("login", host, "-u", USER, "--password-stdin", "--format", "json")
    assert run(workspace, environment, *arguments, given=DISTRIBUTION_PASSWORD).json["verified"] is True
    workspace.replace("input/config.yaml", "gitops:", f"image: {{repository: {host}/team/never-pushed}}\ngitops:")
    status = run(workspace, environment, "auth", "status")
    assert (status.code, f"{host}: the password of '{USER}' from ~/.docker/config.json: works" in status.out) == (
        0,
        True,
    )
    run(workspace, environment, "logout", host)
    assert run(workspace, environment, "auth", "status").code == 1
