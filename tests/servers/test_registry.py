"""The registries of the tests let in whom they say, and nothing of them is left behind."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import urllib3
from tests.servers import registry
from tests.servers.go_program import CannotBuildError
from tests.servers.registry import PASSWORD, READER, SERVICE, USER, Registry

PROJECT = Path(__file__).parents[2]
PUSH = "repository:team/app:pull,push"


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=10) as manager:
        yield manager


def test_everyone_may_use_the_open_one(open_registry: Registry, http: urllib3.PoolManager) -> None:
    assert http.request("GET", f"{open_registry.url}/v2/").status == 200
    assert http.request("POST", f"{open_registry.url}/v2/team/app/blobs/uploads/").status == 202


@pytest.mark.parametrize(("user", "password", "status"), [(USER, PASSWORD, 200), (USER, "wrong", 401), ("", "", 401)])
def test_a_password_is_checked(
    user: str, password: str, status: int, password_registry: Registry, http: urllib3.PoolManager
) -> None:
    headers = urllib3.make_headers(basic_auth=f"{user}:{password}") if user else {}
    answer = http.request("GET", f"{password_registry.url}/v2/", headers=headers)
    assert answer.status == status
    assert status == 200 or answer.headers["WWW-Authenticate"] == 'Basic realm="tests"'


@pytest.mark.parametrize(
    ("user", "scope", "status"),
    [
        (USER, PUSH, 202),
        (USER, "repository:team/app:pull", 401),
        (USER, "repository:team/other:pull,push", 401),
        (READER, PUSH, 401),
        ("", PUSH, 401),
    ],
)
def test_a_token_is_good_for_its_scope(
    user: str, scope: str, status: int, token_registry: Registry, http: urllib3.PoolManager
) -> None:
    token = token_for(user, scope, token_registry, http)
    uploads = f"{token_registry.url}/v2/team/app/blobs/uploads/"
    assert http.request("POST", uploads, headers={"Authorization": f"Bearer {token}"}).status == status


def test_the_challenge_names_the_scope(token_registry: Registry, http: urllib3.PoolManager) -> None:
    answer = http.request("GET", f"{token_registry.url}/v2/team/app/tags/list")
    assert token_registry.tokens is not None
    realm, scope = token_registry.tokens.url, "repository:team/app:pull"
    expected = f'Bearer realm="{realm}",service="{SERVICE}",scope="{scope}"'
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, expected)


def test_everybody_may_pull_what_is_public(token_registry: Registry, http: urllib3.PoolManager) -> None:
    token = token_for("", "repository:public/app:pull", token_registry, http)
    tags = f"{token_registry.url}/v2/public/app/tags/list"
    assert http.request("GET", tags, headers={"Authorization": f"Bearer {token}"}).status == 404


def test_a_token_expires(token_registry: Registry, http: urllib3.PoolManager) -> None:
    assert token_registry.tokens is not None
    token_registry.tokens.lifetime = -61
    try:
        token = token_for(USER, PUSH, token_registry, http)
    finally:
        token_registry.tokens.lifetime = 300
    uploads = f"{token_registry.url}/v2/team/app/blobs/uploads/"
    assert http.request("POST", uploads, headers={"Authorization": f"Bearer {token}"}).status == 401


def test_a_wrong_password_gets_no_token(token_registry: Registry, http: urllib3.PoolManager) -> None:
    assert token_registry.tokens is not None
    headers = urllib3.make_headers(basic_auth=f"{USER}:wrong")
    assert http.request("GET", token_registry.tokens.url, headers=headers).status == 401
    assert not token_registry.tokens.requests[-1].was_granted


def test_a_password_and_a_refresh_token_are_taken_from_a_form(
    token_registry: Registry, http: urllib3.PoolManager
) -> None:
    assert token_registry.tokens is not None
    fields = {"service": SERVICE, "client_id": "tests", "scope": PUSH}
    login = {"grant_type": "password", "username": USER, "password": PASSWORD, "access_type": "offline"}
    first = post(http, token_registry.tokens.url, fields | login)
    again = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = post(http, token_registry.tokens.url, fields | again)
    uploads = f"{token_registry.url}/v2/team/app/blobs/uploads/"
    for answer in (first, second):
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        assert http.request("POST", uploads, headers=headers).status == 202


def test_all_of_them_start_by_hand_and_end_with_their_caller(registry_program: Path, http: urllib3.PoolManager) -> None:
    command = [sys.executable, "-m", "tests.servers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        hosts = [line[len("registry, token server     ") :].split()[0] for line in lines]
        assert [http.request("GET", f"http://{host}/v2/").status for host in hosts] == [200, 401, 401]
        process.kill()
    deadline = time.monotonic() + 10
    while any(answers(host, http) for host in hosts) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(answers(host, http) for host in hosts)


def test_without_go_the_tests_are_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CLUSTER_FORGE_E2E_BIN", str(tmp_path))
    assert not registry.PROGRAM.is_possible
    with pytest.raises(CannotBuildError, match="needs Go, and `go` is not on PATH: install Go 1"):
        registry.PROGRAM.build()


def token_for(user: str, scope: str, server: Registry, http: urllib3.PoolManager) -> str:
    assert server.tokens is not None
    headers = urllib3.make_headers(basic_auth=f"{user}:{PASSWORD}") if user else {}
    fields = {"service": SERVICE, "scope": scope}
    answer = http.request("GET", server.tokens.url, fields=fields, headers=headers)
    return str(orjson.loads(answer.data)["token"])


def post(http: urllib3.PoolManager, url: str, fields: dict[str, str]) -> dict[str, str]:
    answer: dict[str, str] = orjson.loads(http.request_encode_body("POST", url, fields, encode_multipart=False).data)
    return answer


def answers(host: str, http: urllib3.PoolManager) -> bool:
    try:
        http.request("GET", f"http://{host}/v2/")
    except urllib3.exceptions.HTTPError:
        return False
    return True
