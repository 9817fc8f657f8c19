"""The client against a server that fails: what is retried and resumed, what is not, and what is sent where."""

from __future__ import annotations

import io
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.faults.server import Fault, Faults, FaultServer, Site, serving

from cluster_forge.adapters.http.client import HttpClient
from cluster_forge.adapters.http.policy import Policy, Timeouts
from cluster_forge.foundation.errors import FetchError

LIMIT = 64 << 20
BODY = random.Random(1).randbytes(600_000)
TIMES = Timeouts(connect=2.0, silence=0.3, headers=0.5, whole=20.0)


def quick(**rules: object) -> Policy:
    return Policy(**{"first_pause": 0.01, "timeouts": TIMES, "retries": 12, **rules})  # type: ignore[arg-type]


class Heard:
    """`ports.Transfers` that keeps everything."""

    def __init__(self) -> None:
        self.bytes = 0
        self.waits: list[tuple[str, float, str]] = []

    def received(self, host: str, count: int) -> None:
        self.bytes += count

    def waiting(self, host: str, seconds: float, reason: str) -> None:
        self.waits.append((host, seconds, reason))


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with serving(Site(files={"/a": BODY, "/empty": b""})) as running:
        yield running


class Once(Faults):
    """One fault: that of the first request."""

    def of(self, path: str, attempt: int) -> Fault | None:
        return self.kinds[0] if attempt == 1 else None


class OnlyA(Once):
    """The same, for ``/a`` only."""

    def of(self, path: str, attempt: int) -> Fault | None:
        return super().of(path, attempt) if path == "/a" else None


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(("has_ranges", "has_tags"), [(True, True), (False, True), (True, False)])
def test_one_failure_of_any_kind_is_survived(
    server: FaultServer, fault: Fault, *, has_ranges: bool, has_tags: bool
) -> None:
    server.site.faults = Once(kinds=[fault])
    server.site.has_ranges, server.site.has_tags = has_ranges, has_tags
    assert HttpClient(quick()).get(f"{server.url}/a", LIMIT) == BODY
    assert len(server.requests) == 2
    halfway = fault in (Fault.TRUNCATED, Fault.RESET_MIDWAY, Fault.CUT_CHUNKS, Fault.SLOW_BODY)
    assert ("range" in server.requests[1][2]) is (halfway and has_tags)


@pytest.mark.parametrize(("shift", "most"), [(1, 1 << 30), (0, 1000)])
def test_another_part_than_the_rest_is_refused_and_all_is_read_again(
    server: FaultServer, shift: int, most: int
) -> None:
    server.site.faults = Once(kinds=[Fault.RESET_MIDWAY])
    server.site.range_shift, server.site.range_most = shift, most
    assert HttpClient(quick()).get(f"{server.url}/a", LIMIT) == BODY
    assert ["range" in headers for _, _, headers in server.requests] == [False, True, False]


@pytest.mark.parametrize("seed", range(3))
def test_every_file_comes_through_thirty_percent_failures(seed: int) -> None:
    files = {f"/{number}": random.Random(number).randbytes(number * 999) for number in range(60)}
    with serving(Site(files=files, faults=Faults(seed=seed, share=0.3))) as server:
        client = HttpClient(quick(jitter=random.Random(seed).random))
        with ThreadPoolExecutor(16) as threads:
            fetched = list(threads.map(lambda path: client.get(server.url + path, LIMIT), files))
        assert fetched == list(files.values())
        assert sum(server.faults.values()) > 10
        assert server.most_at_once <= Policy().connections


def test_the_same_connection_is_used_again(server: FaultServer) -> None:
    client = HttpClient(quick())
    for path in ("/a", "/empty", "/none", "/a"):
        with client.send("GET", server.url + path) as response:
            while response.read():
                pass
    assert server.connections == 1


def test_a_file_that_changes_while_it_is_read_is_read_again(server: FaultServer) -> None:
    class Changing(Once):
        def of(self, path: str, attempt: int) -> Fault | None:
            if attempt == 2:
                server.site.files = {"/a": BODY[::-1]}
            return Fault.TRUNCATED if attempt == 1 else Fault.BUSY if attempt == 2 else None

    server.site.faults = Changing()
    assert HttpClient(quick()).get(f"{server.url}/a", LIMIT) == BODY[::-1]
    server.site.files = {"/a": BODY}
    server.site.faults = Changing()
    server._attempts.clear()
    with pytest.raises(FetchError, match="has changed while it was read"):
        list(HttpClient(quick()).stream(f"{server.url}/a", LIMIT))


def test_a_stream_has_the_same_bytes_in_parts(server: FaultServer) -> None:
    server.site.faults = Faults(seed=3, share=0.7, kinds=[Fault.TRUNCATED, Fault.RESET_MIDWAY])
    parts = list(HttpClient(quick()).stream(f"{server.url}/a", LIMIT))
    assert b"".join(parts) == BODY
    assert len(parts) > 2
    with pytest.raises(FetchError, match="larger than 1,000 bytes"):
        list(HttpClient(quick()).stream(f"{server.url}/a", 1000))


def test_what_is_known_is_not_sent_again(server: FaultServer) -> None:
    client = HttpClient(quick())
    first = client.get_changed(f"{server.url}/a", LIMIT, "")
    assert first.content == BODY
    again = client.get_changed(f"{server.url}/a", LIMIT, first.tag)
    assert (again.content, again.tag) == (None, first.tag)
    server.site.files = {"/a": b"new"}
    assert client.get_changed(f"{server.url}/a", LIMIT, first.tag).content == b"new"


def test_waits_and_bytes_are_reported_and_the_last_failure_is_raised(server: FaultServer) -> None:
    heard = Heard()
    server.site.faults = Faults(share=1, kinds=[Fault.TOO_MANY])
    client = HttpClient(quick(retries=3, jitter=lambda: 1.0), transfers=heard)
    with pytest.raises(FetchError, match="answered 429 Too Many Requests") as raised:
        client.get(f"{server.url}/a", LIMIT)
    assert type(raised.value) is FetchError
    host = f"127.0.0.1:{server.server_port}"
    assert heard.waits == [(host, 0.01, "429"), (host, 0.02, "429"), (host, 0.04, "429")]
    server.site.faults = Faults()
    client.get(f"{server.url}/a", LIMIT)
    assert heard.bytes >= len(BODY)


def test_a_server_that_asks_one_request_to_wait_gets_no_other_meanwhile() -> None:
    site = Site(files={"/a": b"a", "/b": b"b"}, faults=OnlyA(kinds=[Fault.TOO_MANY]), retry_after=1)
    with serving(site) as server, ThreadPoolExecutor(2) as threads:
        client = HttpClient(quick(connections=1))
        first = threads.submit(client.get, f"{server.url}/a", LIMIT)
        while not server.faults:
            time.sleep(0.005)
        time.sleep(0.1)
        began = time.monotonic()
        assert client.get(f"{server.url}/b", LIMIT) == b"b"
        assert 0.5 < time.monotonic() - began < 5
        assert first.result() == b"a"


def test_a_closed_port_is_tried_four_times() -> None:
    heard = Heard()
    with pytest.raises(FetchError, match="no connection: Connection refused"):
        HttpClient(quick(retries=8), transfers=heard).get("http://127.0.0.1:9/x", LIMIT)
    assert [reason for _, _, reason in heard.waits] == ["no connection: Connection refused"] * 3


def test_pauses_double_up_to_the_longest_and_do_not_exceed_the_time(server: FaultServer) -> None:
    heard = Heard()
    server.site.faults = Faults(share=1, kinds=[Fault.BUSY])
    policy = quick(retries=8, longest_pause=0.03, jitter=lambda: 1.0)
    with pytest.raises(FetchError, match="answered 503"):
        HttpClient(policy, transfers=heard).get(f"{server.url}/a", LIMIT)
    assert [seconds for _, seconds, _ in heard.waits] == [0.01, 0.02, *[0.03] * 6]
    with pytest.raises(FetchError, match="no connection: Connection refused"):  # before there is no time left
        HttpClient(quick(first_pause=9, jitter=lambda: 1.0, timeouts=Timeouts(whole=5.0))).get(
            "http://127.0.0.1:9/x", LIMIT
        )


def test_a_body_is_opened_for_every_attempt(server: FaultServer) -> None:
    opened = []

    def body() -> io.BytesIO:
        opened.append(io.BytesIO(b"x" * 100_000))
        return opened[-1]

    client = HttpClient(quick(retries=2))
    with client.send("PUT", f"{server.url}/a", body=body, length=100_000) as response:
        assert response.status == 501  # the server knows GET only, and says so
    assert len(opened) == 1
    assert opened[0].closed
    with pytest.raises(FetchError, match="no connection"), client.send("PUT", "http://127.0.0.1:9/", body=body):
        pass
    assert len(opened) == 4
    assert all(source.closed for source in opened)


class Token:
    """`Authorization` with one secret for each origin."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.secrets = secrets
        self.asked: list[tuple[str, str, Sequence[str]]] = []

    def _of(self, url: str) -> dict[str, str]:
        secret = next((secret for origin, secret in self.secrets.items() if url.startswith(origin)), "")
        return {"Authorization": f"Bearer {secret}"} if secret else {}

    def headers(self, url: str, scope: str) -> Mapping[str, str]:
        self.asked.append((url, scope, ()))
        return self._of(url)

    def answer(self, url: str, scope: str, challenges: Sequence[str], refused: str) -> Mapping[str, str] | None:
        self.asked.append((url, scope, challenges))
        return self._of(url) or None

    def used(self, url: str) -> str:
        return "the token of the tests" if self._of(url) else ""


def test_another_origin_gets_no_authorization(server: FaultServer) -> None:
    with serving(Site(files={"/b": b"there"})) as other:
        server.site.redirects = {"/moved": f"{other.url}/b", "/here": "/a"}
        token = Token({server.url: "secret"})
        client = HttpClient(quick(), authorization=token)
        own = {"Authorization": "Basic own", "Cookie": "own", "Accept": "a/b"}
        assert client.get(f"{server.url}/moved", LIMIT, headers=own, scope="pull") == b"there"
        sent = other.requests[0][2]
        assert sent.keys().isdisjoint({"authorization", "cookie"})
        assert sent["accept"] == "a/b"
        assert [(url, scope) for url, scope, _ in token.asked] == [
            (f"{server.url}/moved", "pull"),
            (f"{other.url}/b", ""),
        ]
        client.get(f"{server.url}/here", LIMIT)
        assert server.requests[-1][2]["authorization"] == "Bearer secret"


def test_no_more_connections_than_allowed_and_none_is_leaked(server: FaultServer) -> None:
    server.site.latency = 0.02
    server.site.faults = Faults(seed=5, share=0.4)
    client = HttpClient(quick(connections=3))
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda _: client.get(f"{server.url}/a", LIMIT), range(30)))
    assert server.most_at_once <= 3
    with (
        client.send("GET", f"{server.url}/a"),
        client.send("GET", f"{server.url}/a"),
        client.send("GET", f"{server.url}/a"),
    ):
        pass


def test_a_request_that_waits_for_its_own_connections_ends() -> None:
    with serving(Site(files={"/a": BODY})) as server:
        client = HttpClient(quick(connections=1, timeouts=Timeouts(whole=0.3)))
        with client.send("GET", f"{server.url}/a"), pytest.raises(FetchError, match="not complete after"):
            client.get(f"{server.url}/a", LIMIT)


def test_threads_end_with_their_requests(server: FaultServer) -> None:
    before = threading.active_count()
    client = HttpClient(quick())
    for _ in range(20):
        client.get(f"{server.url}/a", LIMIT)
    time.sleep(0.1)
    assert threading.active_count() <= before + 2  # the server's, for kept connections
