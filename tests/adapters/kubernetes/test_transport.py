"""Requests that are repeated, refused and limited; certificates and proxies."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.adapters.kubernetes.cluster_contract import OURS, config_map
from tests.adapters.kubernetes.conftest import Reached
from tests.adapters.kubernetes.scripted_server import Received, Reply, serving, status
from tests.faults.certificates import Authority
from tests.faults.proxy import proxying

from cluster_forge.adapters.kubernetes.access import Pem, UserEntry
from cluster_forge.adapters.kubernetes.transport import Patience
from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import ApplyOptions, Patch

BODY = config_map("shop", a="1")
TARGET = ObjectId.of(BODY)
PATH = "/api/v1/namespaces/shop/configmaps/settings"


class Script:
    """Replies one after another; the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self._replies: Iterator[Reply] = iter(replies)
        self._last = replies[-1]

    def __call__(self, _: Received) -> Reply:
        return next(self._replies, self._last)


@pytest.mark.parametrize(
    "passing",
    [
        status(429, "TooManyRequests"),
        Reply(status=503, headers={"Retry-After": "0"}),
        Reply(status=502, content="bad gateway"),
        Reply(status=504, content="late"),
        Reply(status=500, content={}, headers={"Retry-After": "0"}),
        Reply(ends=0),
        Reply(content=BODY, ends=10),
    ],
    ids=["429", "503", "502", "504", "500 with Retry-After", "hangs up", "cut"],
)
def test_an_apply_is_repeated(reached: Reached, passing: Reply) -> None:
    with serving(Script(passing, passing, Reply(content=BODY))) as server:
        assert reached(server.url).apply(BODY, OURS).body == BODY
        assert server.paths() == [f"PATCH {PATH}"] * 3


@pytest.mark.parametrize("unsure", [Reply(ends=0), Reply(status=502, content="?"), Reply(status=504, content="?")])
def test_what_may_have_been_executed_is_not_repeated_where_that_matters(reached: Reached, unsure: Reply) -> None:
    with serving(Script(unsure, Reply(content=BODY))) as server:
        cluster = reached(server.url)
        operation = {"op": "add", "path": "/data/-", "value": 1}
        calls: list[Callable[[], object]] = [
            lambda: cluster.create(BODY),
            lambda: cluster.patch(TARGET, [operation], Patch.JSON, manager="x"),
        ]
        for call in calls:
            server.answer = Script(unsure, Reply(content=BODY))
            with pytest.raises(ClusterError):
                call()
        assert len(server.paths()) == 2


def test_what_was_certainly_not_executed_is_always_repeated(reached: Reached) -> None:
    with serving(Script(status(429, "TooManyRequests"), Reply(content=BODY))) as server:
        assert reached(server.url).create(BODY) == BODY


def test_a_server_that_stays_busy_is_an_error(reached: Reached) -> None:
    patience = Patience(at_first=0.1, later=0.1, first_pause=0.01)
    with serving(Script(Reply(status=503, content="down"))) as server, pytest.raises(ClusterError, match="503"):
        reached(server.url, patience=patience).get(TARGET)


def test_a_server_that_has_gone_is_waited_for_once(reached: Reached) -> None:
    """Not again by each of the requests that a failed deployment makes at its end."""
    patience = Patience(at_first=0.1, later=1.5, first_pause=0.01, longest_pause=0.05)
    with serving(Script(Reply(content=BODY, headers={"Connection": "close"}))) as server:
        cluster = reached(server.url, patience=patience)
        assert cluster.get(TARGET) == BODY
    waited = []
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(ClusterError):
            cluster.get(TARGET)
        waited.append(time.monotonic() - began)
    assert waited[0] > 1
    assert max(waited[1:]) < 1


def test_a_refusal_has_status_reason_and_causes(reached: Reached) -> None:
    causes = [{"reason": "FieldManagerConflict", "message": 'conflict with "x"', "field": ".data.a"}]
    with serving(Script(status(409, "Conflict", "Apply failed", details={"causes": causes}))) as server:
        with pytest.raises(RefusedError) as caught:
            reached(server.url).apply(BODY, OURS)
        assert (caught.value.status, caught.value.reason, caught.value.where) == (409, "Conflict", str(TARGET))
        assert [cause.field for cause in caught.value.causes] == [".data.a"]


def test_a_missing_permission_names_verb_kind_and_user(reached: Reached) -> None:
    message = 'configmaps "settings" is forbidden: User "me" cannot patch resource "configmaps" in API group "" in the namespace "shop"'
    with serving(Script(status(403, "Forbidden", message))) as server, pytest.raises(RefusedError) as caught:
        reached(server.url).apply(BODY, OURS)
    assert caught.value.message == message
    assert "Role" in str(caught.value.fix)


def test_what_is_sent(reached: Reached) -> None:
    with serving(
        Script(Reply(content=BODY, status=201, headers={"Warning": '299 - "old", 299 - "say \\"no\\""'}))
    ) as server:
        applied = reached(server.url).apply(BODY, ApplyOptions(manager="cf", force=True, is_trial=True))
        [sent] = [one for one in server.received if one.method == "PATCH"]
    assert applied.is_new
    assert applied.warnings == ("old", 'say "no"')
    assert sent.headers["content-type"] == "application/apply-patch+yaml"
    assert sent.query == "fieldManager=cf&force=true&dryRun=All&fieldValidation=Warn"


def test_one_connection_serves_many_requests(reached: Reached) -> None:
    with serving(Script(Reply(content=BODY))) as server:
        cluster = reached(server.url)
        for _ in range(5):
            cluster.apply(BODY, OURS)
        assert server.connections == 1
        assert cluster.transport.counts == {"GET": 2, "PATCH": 5}


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (
            Reply(status=302, headers={"Location": "https://login.example.com/sso?next=1"}),
            "redirects to https://login.example.com/sso",
        ),
        (Reply(content="<html>welcome</html>"), "does not answer as a Kubernetes API server"),
        (Reply(content=["a", "list"]), "does not answer as a Kubernetes API server"),
        (Reply(content="<html>no</html>", status=404), "answered 404 Not Found, not as an API server does"),
        (Reply(content="<html>no</html>", status=403), "answered 403 Forbidden, not as an API server does"),
    ],
)
def test_a_server_that_is_not_kubernetes(reached: Reached, reply: Reply, message: str) -> None:
    with serving(Script(reply)) as server, pytest.raises(ClusterError) as caught:
        reached(server.url).get(TARGET)
    assert message in caught.value.message
    assert caught.value.fix


def test_an_answer_that_is_too_slow_ends(reached: Reached) -> None:
    slow = Patience(silence=0.2, whole=5, at_first=0, later=0)
    holding = Script(Reply(content=BODY, holds=True, ends=5))
    with serving(holding) as server, pytest.raises(ClusterError, match="not answer in time"):
        reached(server.url, patience=slow).get(TARGET)


def test_a_server_whose_headers_never_end(reached: Reached) -> None:
    patience = Patience(silence=5, whole=0.3, at_first=0, later=0)
    is_done = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not is_done.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        with pytest.raises(ClusterError, match="not answer in time"):
            reached(f"http://127.0.0.1:{listener.getsockname()[1]}", patience=patience).get(TARGET)
        is_done.set()
        thread.join()


def test_nothing_listens(reached: Reached) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ClusterError, match="Connection refused") as caught:
        reached(f"https://127.0.0.1:{port}").about()
    assert caught.value.where == "context 'test' (config)"
    assert "running" in str(caught.value.fix)


def test_a_server_that_restarts_is_waited_for(reached: Reached) -> None:
    with serving(Script(Reply(content=BODY, headers={"Connection": "close"}))) as server:
        cluster = reached(server.url)
        cluster.apply(BODY, OURS)
        port = server.server_port

    def restart() -> None:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as listener:
            listener.settimeout(5)
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                content = json.dumps(BODY).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))

    thread = threading.Timer(0.4, restart)
    thread.start()
    assert cluster.apply(BODY, OURS).body == BODY
    thread.join()


def test_a_host_that_is_not_known(reached: Reached) -> None:
    with pytest.raises(ClusterError, match=r"unknown host|cannot be resolved"):
        reached("https://api.nowhere.invalid:6443").about()


def test_the_authority_of_the_kubeconfig_is_trusted_and_no_other(
    reached: Reached, root: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path)
    del other
    with serving(Script(Reply(content=BODY)), root.certificate("api")) as server:
        assert reached(server.url, authority_file=root.file).get(TARGET) == BODY
        stranger = root.self_signed("Another Authority")
        with pytest.raises(ClusterError) as caught:
            reached(server.url, authority_file=stranger).get(TARGET)
    assert "was issued by Cluster Authority" in caught.value.message
    assert "trusts Another Authority" in caught.value.message
    assert "made again" in str(caught.value.fix)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_certificate_that_expired_or_is_for_another_host(reached: Reached, root: Authority) -> None:
    old = root.certificate("old", begins="20200101000000Z", ends="20210301120000Z")
    with (
        serving(Script(Reply(content=BODY)), old) as server,
        pytest.raises(ClusterError, match="expired on 2021-03-01"),
    ):
        reached(server.url, authority_file=root.file).get(TARGET)
    with serving(Script(Reply(content=BODY)), root.certificate("elsewhere", hosts="DNS:api.example.com")) as server:
        with pytest.raises(ClusterError, match=r"is for api\.example\.com, not for 127\.0\.0\.1") as caught:
            reached(server.url, authority_file=root.file).get(TARGET)
        assert "tls-server-name" in str(caught.value.fix)
        named = reached(server.url, authority_file=root.file, server_name="api.example.com")
        assert named.get(TARGET) == BODY
        assert reached(server.url, is_insecure=True).get(TARGET) == BODY


def test_a_server_without_tls(reached: Reached) -> None:
    with serving(Script(Reply(content=BODY))) as server, pytest.raises(ClusterError, match="does not speak TLS"):
        reached(server.url.replace("http:", "https:")).get(TARGET)


def test_a_client_certificate_is_shown_and_its_files_are_gone(
    reached: Reached, root: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    content = root.certificate("developer").read_bytes()
    user = UserEntry(name="me", certificate=Pem(where="c", content=content), key=Pem(where="k", content=content))
    with serving(Script(Reply(content=BODY)), root.certificate("api"), root.file) as server:
        assert reached(server.url, user, authority_file=root.file).get(TARGET) == BODY
        assert {one.certificate for one in server.received} == {"developer"}
    assert not list(tmp_path.iterdir())


def test_a_proxy_of_the_kubeconfig_is_used(reached: Reached, root: Authority) -> None:
    with proxying() as proxy, serving(Script(Reply(content=BODY)), root.certificate("api")) as server:
        cluster = reached(server.url, authority_file=root.file, proxy=proxy.url)
        assert cluster.get(TARGET) == BODY
        assert [line.split()[:2] for line in proxy.asked] == [["CONNECT", f"127.0.0.1:{server.server_port}"]]


def test_a_proxy_that_refuses(reached: Reached) -> None:
    with proxying(lambda _: "403 Forbidden") as proxy, pytest.raises(ClusterError) as caught:
        reached("https://api.example.com", proxy=proxy.url.replace("//", "//user:secret@")).get(TARGET)
    assert "does not let it through" in caught.value.message
    assert "secret" not in str(caught.value)
    assert "proxy-url" in str(caught.value.fix)


def test_an_environment_with_a_wrong_proxy(reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://x")
    with pytest.raises(ClusterError, match="unknown scheme"):
        reached("https://api.example.com").get(TARGET)


def test_a_path_is_only_a_path(reached: Reached) -> None:
    names = {"namespace": "..", "name": "a/../b?c#d"}
    with serving(Script(Reply(content={**BODY, "metadata": names}))) as server:
        reached(server.url).get(ObjectId(group="", kind="ConfigMap", **names))
        assert server.paths() == ["GET /api/v1/namespaces/%2E%2E/configmaps/a%2F..%2Fb%3Fc%23d"]


def test_logs(reached: Reached) -> None:
    with serving(Script(Reply(content="one\ntwo\n"), status(400, "BadRequest", "waiting to start"))) as server:
        cluster = reached(server.url)
        assert cluster.logs("shop", "web-0", "web", lines=2, previous=True) == "one\ntwo\n"
        assert cluster.logs("shop", "web-0") == ""
        asked = [one for one in server.received if one.path.endswith("/log")]
    assert asked[0].query == "container=web&tailLines=2&limitBytes=1048576&previous=true"
