"""Tokens, passwords, plug-ins and certificates: what is sent, for how long, and what is said when it is refused."""

from __future__ import annotations

import base64
import json
import os
import pty
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.adapters.kubernetes.cluster_contract import config_map
from tests.adapters.kubernetes.conftest import Reached
from tests.adapters.kubernetes.scripted_server import Received, Reply, serving, status
from tests.faults.certificates import Authority

from cluster_forge.adapters.kubernetes import exec_plugin
from cluster_forge.adapters.kubernetes.access import (
    Access,
    ClusterEntry,
    ExecPlugin,
    Impersonation,
    InteractiveMode,
    Pem,
    UserEntry,
)
from cluster_forge.adapters.kubernetes.credentials import Credentials
from cluster_forge.foundation.errors import ClusterError, ForgeError, KubeconfigError
from cluster_forge.manifests.identity import ObjectId

BODY = config_map("shop")
TARGET = ObjectId.of(BODY)
CLUSTER = ClusterEntry(name="c", where="config", server="https://c", plain={"server": "https://c"})
UNKNOWN = status(401, "Unauthorized", "Unauthorized")
Write = Callable[..., ExecPlugin]


@pytest.fixture
def plugin(tmp_path: Path) -> Write:
    """A plug-in that is a shell script."""

    def write(
        script: str, version: str = "v1", mode: InteractiveMode = InteractiveMode.NEVER, **more: object
    ) -> ExecPlugin:
        file = tmp_path / "login"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return ExecPlugin(
            where="config: users[0].user.exec",
            api_version=f"client.authentication.k8s.io/{version}",
            command="./login",
            folder=tmp_path,
            mode=mode,
            **more,  # type: ignore[arg-type]
        )

    return write


def granting(token: str = "granted", version: str = "v1", **more: str) -> str:
    answer = {
        "apiVersion": f"client.authentication.k8s.io/{version}",
        "kind": "ExecCredential",
        "status": {"token": token, **more},
    }
    return f"echo '{json.dumps(answer)}'"


def user(**entry: object) -> UserEntry:
    return UserEntry(name="me", where="config: users[0]", **entry)  # type: ignore[arg-type]


def credentials(entry: UserEntry, clock: Callable[[], float] = time.time) -> Credentials:
    return Credentials(Access(context="x", cluster=CLUSTER, user=entry), {"PATH": "/usr/bin:/bin"}, clock=clock)


def header(entry: UserEntry) -> str:
    return dict(credentials(entry).current().headers)["Authorization"]


def failure(entry: UserEntry) -> KubeconfigError:
    with pytest.raises(KubeconfigError) as caught:
        credentials(entry).current()
    assert caught.value.fix
    return caught.value


def test_what_is_sent(tmp_path: Path, plugin: Write) -> None:
    (tmp_path / "token").write_text("from-file\n")
    assert header(user(token="t")) == "Bearer t"
    assert header(user(token="t", token_file=tmp_path / "token")) == "Bearer from-file"
    assert header(user(token="t", token_file=tmp_path / "missing")) == "Bearer t"
    assert header(user(login="me", password="pä:ss")) == f"Basic {base64.b64encode('me:pä:ss'.encode()).decode()}"
    assert header(user(plugin=plugin(granting()))) == "Bearer granted"
    assert credentials(UserEntry()).current().headers == ()


def test_requests_name_the_impersonated_user(reached: Reached) -> None:
    whom = Impersonation(user="jane", uid="7", groups=("a", "b"), extra={"example.com/x": ("1",)})
    with serving(lambda _: Reply(content=BODY)) as server:
        reached(server.url, user(token="t", impersonation=whom)).get(TARGET)
        sent = server.received[-1].headers
    assert (sent["impersonate-user"], sent["impersonate-uid"]) == ("jane", "7")
    assert sent["impersonate-extra-example.com%2fx"] == "1"
    with serving(lambda _: Reply(content=BODY)) as server:
        groups = credentials(user(impersonation=whom)).current().headers
        assert [value for name, value in groups if name == "Impersonate-Group"] == ["a", "b"]


def test_a_file_is_read_again(tmp_path: Path) -> None:
    now = [0.0]
    file = tmp_path / "token"
    file.write_text("one")
    kept = credentials(user(token_file=file), clock=lambda: now[0])
    assert kept.current().headers[0][1] == "Bearer one"
    file.write_text("two")
    assert kept.current().headers[0][1] == "Bearer one"
    now[0] = 61
    assert kept.current().headers[0][1] == "Bearer two"


def test_a_refused_token_is_got_again_once(reached: Reached, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")

    def answer(request: Received) -> Reply:
        if request.headers["authorization"] == "Bearer new":
            return Reply(content=BODY)
        file.write_text("new")
        return UNKNOWN

    with serving(answer) as server:
        assert reached(server.url, user(token_file=file)).get(TARGET) == BODY


def test_a_plug_in_is_asked_again_when_its_token_expires(plugin: Write, tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    count = f"echo x >> {tmp_path}/runs; "
    entry = user(plugin=plugin(count + granting(expirationTimestamp="2027-01-15T09:00:00Z")))
    kept = credentials(entry, clock=lambda: now[0])
    for _ in range(3):
        kept.current()
    assert (tmp_path / "runs").read_text().count("x") == 1
    now[0] = 1_800_100_000.0
    kept.current()
    assert (tmp_path / "runs").read_text().count("x") == 2


def test_a_plug_in_gets_the_cluster(plugin: Write, tmp_path: Path) -> None:
    script = (
        f'printf %s "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; printf "%s %s" "$1" "$N" > {tmp_path}/given; '
        + granting(version="v1beta1")
    )
    told = plugin(script, "v1beta1", arguments=("arg",), environment={"N": "value"}, gets_cluster=True)
    assert exec_plugin.run(told, CLUSTER, {"PATH": "/usr/bin:/bin"}).token == "granted"
    assert json.loads((tmp_path / "info").read_text()) == {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {"server": "https://c"}},
    }
    assert (tmp_path / "given").read_text() == "arg value"


def test_a_plug_in_that_is_missing_says_how_to_install_it(tmp_path: Path) -> None:
    missing = ExecPlugin(
        where="here",
        api_version="v1",
        command="kubelogin-x",
        folder=tmp_path,
        install_hint="get it at example.com\x1b[2J",
    )
    error = failure(user(plugin=missing))
    assert error.message == "the credential plug-in 'kubelogin-x' is not there"
    assert error.fix == "install it, or correct `command`: get it at example.com"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'log in first: \x1b[31mrun it' >&2; exit 3", "failed with exit code 3: log in first:"),
        ("echo eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMzQ1Njc4OTAifQ.secret.secret >&2; exit 1", "failed with exit code 1: …"),
        ("printf 'cannot refresh\\n\\nrun:\\n  x login\\n' >&2; exit 1", "code 1: cannot refresh / run: / x login"),
        ("seq 9 >&2; exit 1", "code 1: 6 / 7 / 8 / 9"),
        ("echo nonsense", "printed no ExecCredential"),
        ("echo not logged in >&2", "printed no ExecCredential with a `status`: not logged in"),
        (granting(version="v1beta1"), "answers in client.authentication.k8s.io/v1beta1"),
        (granting(token=""), "gave neither a token nor a certificate"),
        (granting(expirationTimestamp="tomorrow"), "`expirationTimestamp` that is not a time"),
        ("head -c 2000000 /dev/zero", "printed more than 1 MiB"),
    ],
)
def test_a_plug_in_that_fails(plugin: Write, script: str, message: str) -> None:
    error = failure(user(plugin=plugin(script)))
    assert message in error.message
    assert error.message.isprintable()
    assert error.where == "config: users[0].user.exec"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("sleep 60 & sleep 60", r"did not answer within 0\.5 s$"),
        ("echo open https://login.example.com >&2; sleep 60", r"within 0\.5 s: open https://login\.example\.com$"),
        ("setsid sleep 60 & sleep 60", r"did not answer within 0\.5 s$"),
        ("exec >&-; sleep 60", r"has not ended within 0\.5 s$"),
    ],
    ids=["with a child", "waits for a login", "with a child in a session of its own", "has closed its output"],
)
def test_a_plug_in_that_hangs_is_ended(plugin: Write, script: str, message: str) -> None:
    began = time.monotonic()
    with pytest.raises(KubeconfigError, match=message):
        exec_plugin.run(plugin(script), CLUSTER, {"PATH": "/usr/bin:/bin"}, seconds=0.5)
    assert time.monotonic() - began < 30


def test_a_plug_in_that_hangs_on_a_terminal_is_ended_without_what_it_started(
    plugin: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There it is in the foreground with this program, so its children cannot be ended as a group: one has the pipe open."""
    leader, terminal = pty.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        began = time.monotonic()
        with pytest.raises(KubeconfigError, match=r"did not answer within 0\.5 s"):
            exec_plugin.run(plugin("sleep 60 & sleep 60"), CLUSTER, {"PATH": "/usr/bin:/bin"}, seconds=0.5)
    os.close(leader)
    assert time.monotonic() - began < 30


def test_what_a_plug_in_leaves_running_does_not_hold_up_its_answer(plugin: Write) -> None:
    """A keeper of credentials that it starts has its error output, and does not close it."""
    began = time.monotonic()
    told = plugin("sleep 60 >/dev/null & " + granting())
    assert exec_plugin.run(told, CLUSTER, {"PATH": "/usr/bin:/bin"}).token == "granted"
    assert time.monotonic() - began < 30


def test_a_plug_in_that_needs_a_terminal(plugin: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    error = failure(user(plugin=plugin(granting(), mode=InteractiveMode.ALWAYS)))
    assert "needs a terminal" in error.message


def test_a_token_that_no_header_can_have() -> None:
    assert "characters that no token has" in failure(user(token="a\nb")).message


def unknown(reached: Reached, entry: UserEntry, authority: Authority | None = None) -> ClusterError:
    """The error of a server that does not know the user."""
    certificate, file = (authority.certificate("api"), authority.file) if authority else (None, None)
    with serving(lambda _: UNKNOWN, certificate, file) as server, pytest.raises(ClusterError) as caught:
        reached(server.url, entry, authority_file=file).get(TARGET)
    assert caught.value.where == "config: users[0]"
    return caught.value


def test_a_token_that_expired(reached: Reached) -> None:
    claims = base64.urlsafe_b64encode(b'{"exp": 1600000000}').decode().rstrip("=")
    error = unknown(reached, user(token=f"e30.{claims}.signed"))
    assert error.message.endswith("does not know the user 'me': the token expired on 2020-09-13 12:26 UTC")
    assert claims not in f"{error} {error.fix}"


def test_a_token_that_is_refused(reached: Reached) -> None:
    error = unknown(reached, user(token="opaque-token"))
    assert error.message.endswith("does not know the user 'me': Unauthorized")
    assert "opaque-token" not in f"{error} {error.fix}"


def test_no_credential_at_all(reached: Reached) -> None:
    assert "add a token" in str(unknown(reached, user()).fix)


def test_a_client_certificate_that_expired(reached: Reached, root: Authority) -> None:
    content = root.certificate("developer", begins="20200101000000Z", ends="20210301120000Z").read_bytes()
    entry = user(certificate=Pem(where="c", content=content), key=Pem(where="k", content=content))
    with serving(lambda _: UNKNOWN, root.certificate("api")) as server, pytest.raises(ClusterError) as caught:
        reached(server.url, entry, authority_file=root.file).get(TARGET)
    assert "the client certificate of developer expired on 2021-03-01" in caught.value.message


def test_a_client_certificate_that_is_not_trusted(reached: Reached, root: Authority) -> None:
    content = root.certificate("stranger").read_bytes()
    entry = user(certificate=Pem(where="c", content=content), key=Pem(where="k", content=content))
    error = unknown(reached, entry, root)
    assert "does not trust the client certificate, which Cluster Authority issued" in error.message


@pytest.mark.parametrize("broken", [b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_client_certificate_that_is_none(reached: Reached, broken: bytes) -> None:
    entry = user(certificate=Pem(where="c", content=broken), key=Pem(where="k", content=broken))
    with pytest.raises(ForgeError, match="the client certificate cannot be used"):
        reached("https://127.0.0.1:1", entry).get(TARGET)
