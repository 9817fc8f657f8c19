from __future__ import annotations

import base64
import contextlib
import email.utils
import gzip
import http.server
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_forge.adapters.http.bodies import refuse_encoded
from cluster_forge.adapters.http.downloads import HttpDownloads
from cluster_forge.adapters.http.offline import OfflineDownloads
from cluster_forge.adapters.http.policy import Policy, Timeouts
from cluster_forge.adapters.http.requests import redirected
from cluster_forge.adapters.http.retrying import seconds_to_wait
from cluster_forge.foundation.errors import FetchError, OfflineError

LIMIT = 1 << 20
QUICK = HttpDownloads(
    Policy(retries=2, first_pause=0.0, timeouts=Timeouts(connect=2.0, silence=0.3, headers=0.5, whole=1.2))
)
BODY = b"0123456789" * 1000
PACKED = gzip.compress(BODY, mtime=0)
"""Without the time: it is part of the names of tests, which must be the same in every process."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append((self.path, {name.lower(): text for name, text in self.headers.items()}))
        answer = getattr(self, "answer_" + self.path.split("?")[0].strip("/").replace("-", "_"), None)
        if self.path.startswith("http://"):  # a request to a proxy
            self.answer(200, b"by proxy")
        elif answer:
            answer()
        else:
            self.answer(404, b"nothing here")

    def do_CONNECT(self) -> None:
        self.server.requests.append((self.path, {name.lower(): text for name, text in self.headers.items()}))
        self.answer(403, b"")

    def log_message(self, *args: object) -> None:
        pass

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def attempts(self) -> int:
        return sum(path == self.path for path, _ in self.server.requests)

    def answer_good(self) -> None:
        self.answer(200, BODY)

    def answer_encoded(self) -> None:
        self.answer(200, gzip.compress(BODY), Content_Encoding="gzip")

    def answer_brotli(self) -> None:
        self.answer(200, BODY, Content_Encoding="identity, BR")

    def answer_transferred(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        self.close_connection = True

    def answer_slow_redirects(self) -> None:
        self.server.stopped.wait(0.2)
        self.answer(302, b"", Location="/slow-redirects")

    def answer_identity(self) -> None:
        self.answer(200, BODY, Content_Encoding="identity")

    def answer_huge(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n" + BODY)
        self.close_connection = True

    def answer_other_digits(self) -> None:
        self.wfile.write("HTTP/1.1 200 OK\r\nContent-Length: ١٢٣\r\nConnection: close\r\n\r\n".encode() + BODY)
        self.close_connection = True

    def answer_never(self) -> None:
        self.answer(503, b"", Retry_After="Fri, 31 Dec 99999999999999 23:59:59 GMT")

    def answer_at_the_end_of_time(self) -> None:
        self.answer(503, b"", Retry_After="9" * 5000)

    def answer_continuing(self) -> None:
        with contextlib.suppress(OSError):
            while not self.server.stopped.wait(0.02):
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def answer_dripping_headers(self) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not self.server.stopped.wait(0.02):
                self.wfile.write(b".")

    def answer_dripping_chunks(self) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=")
            while not self.server.stopped.wait(0.02):
                self.wfile.write(b".")

    def answer_chunked(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (BODY[:7], BODY[7:]):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def answer_cut_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"100\r\nonly this")
        self.close_connection = True

    def answer_no_length(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "many")
        self.end_headers()
        self.wfile.write(BODY)
        self.close_connection = True

    def answer_empty(self) -> None:
        self.answer(200, b"")

    def answer_busy_twice(self) -> None:
        if self.attempts() > 2:
            self.answer(200, BODY)
        else:
            self.answer(503, b"busy", Retry_After="0")

    def answer_busy(self) -> None:
        self.answer(503, b"busy")

    def answer_too_many(self) -> None:
        self.answer(429, b"", Retry_After="3600")

    def answer_tomorrow(self) -> None:
        self.answer(429, b"", Retry_After=email.utils.formatdate(time.time() + 86400, usegmt=True))

    def answer_whenever(self) -> None:
        self.answer(502, b"", Retry_After="whenever")

    def answer_truncated(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[:5000])
        self.close_connection = True

    def answer_truncated_once(self) -> None:
        if self.attempts() > 1:
            self.answer(200, BODY)
        else:
            self.answer_truncated()

    def answer_hang_up(self) -> None:
        self.close_connection = True

    def answer_silent(self) -> None:
        self.server.stopped.wait(3)
        self.close_connection = True

    def answer_dripping(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.server.stopped.wait(0.05):
                self.wfile.write(b".")

    def answer_to_good(self) -> None:
        self.answer(302, b"over there", Location="/good")

    def answer_loop(self) -> None:
        self.answer(301, b"", Location="/loop")

    def answer_to_file(self) -> None:
        self.answer(302, b"", Location="file:///etc/passwd")

    def answer_to_nonsense(self) -> None:
        self.answer(302, b"", Location="http://[")

    def answer_nowhere(self) -> None:
        self.answer(302, b"no location")

    def answer_no_content(self) -> None:
        self.answer(204, b"")

    def answer_strange(self) -> None:
        self.answer(599, b"")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.stopped = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.stopped.set()
        running.shutdown()
        thread.join()


def failure_of(url: str, downloads: HttpDownloads = QUICK) -> FetchError:
    with pytest.raises(FetchError) as raised:
        downloads.get(url, limit_bytes=LIMIT)
    assert raised.value.fix
    return raised.value


@pytest.mark.parametrize(
    "path", ["good", "chunked", "no-length", "other-digits", "identity", "to-good", "busy-twice", "truncated-once"]
)
def test_whole_body_is_returned_as_sent(server: Server, path: str) -> None:
    assert QUICK.get(f"{server.url}/{path}", limit_bytes=LIMIT) == BODY


@pytest.mark.parametrize(
    ("path", "encoding", "content", "is_refused"),
    [
        ("x.tgz", "gzip", PACKED, False),  # Apache's AddEncoding
        ("x.tgz?sig=1", "X-GZIP", PACKED, False),
        ("x.tgz", "gzip", b"\x1f\x8b broken", False),  # the archive's own message
        ("x.tgz", "gzip", gzip.compress(PACKED, mtime=0), True),
        ("x.tgz", "gzip, br", PACKED, True),
        ("x.tgz", "deflate", PACKED, True),
        ("index.yaml", "gzip", PACKED, True),
        ("index.yaml", "a\x1b[31m" * 99, BODY, True),
        ("index.yaml", " Identity ", BODY, False),
    ],
)
def test_content_encoding_is_refused_unless_the_file_is_one(
    path: str, encoding: str, content: bytes, is_refused: bool
) -> None:
    if is_refused:
        with pytest.raises(FetchError, match="`Content-Encoding: "):
            refuse_encoded(f"https://example.com/{path}", encoding, content)
    else:
        refuse_encoded(f"https://example.com/{path}", encoding, content)


@pytest.mark.parametrize("text", ["", "soon", "1e400", "²", "-1", "Fri, 31 Dec 9999 23:59:59 -9999", "0, 0"])
def test_retry_after_without_meaning_waits_no_longer(text: str) -> None:
    assert seconds_to_wait(text) >= 0


def test_empty_body_is_accepted(server: Server) -> None:
    assert QUICK.get(f"{server.url}/empty", limit_bytes=LIMIT) == b""


@pytest.mark.parametrize(
    ("path", "message", "times"),
    [
        ("missing", "answered 404 Not Found", 1),
        ("busy", "answered 503 Service Unavailable", 3),
        ("whenever", "answered 502 Bad Gateway", 3),
        ("too-many", "answered 429 Too Many Requests; it takes requests again at ", 1),
        ("tomorrow", "answered 429 Too Many Requests; it takes requests again at 2", 1),
        ("nowhere", "answered 302 Found", 1),
        ("no-content", "answered 204 No Content", 1),
        ("strange", "answered 599", 3),
        ("truncated", "was interrupted", 3),
        ("cut-chunks", "was interrupted", 3),
        ("hang-up", "connection failed", 3),
        ("silent", "the server did not answer in time", 3),
        ("dripping", "came too slowly", 3),
        ("dripping-chunks", "was not complete after 1.2 s", 1),
        ("dripping-headers", "(the last problem before: no answer)", 3),
        ("continuing", "(the last problem before: no answer)", 3),
        ("huge", "is larger than 1,048,576 bytes", 1),
        ("never", "answered 503 Service Unavailable", 3),
        ("at-the-end-of-time", "answered 503 Service Unavailable", 1),
        ("encoded", "came with `Content-Encoding: gzip`, which was not asked for", 1),
        ("transferred", "came with `Transfer-Encoding: gzip, chunked`", 1),
        ("brotli", "came with `Content-Encoding: br`", 1),
        ("to-file", "not followed", 1),
        ("to-nonsense", "redirects to something that is not an address", 1),
        ("loop", "too many redirects", 11),
    ],
)
def test_other_responses_are_reported_with_their_address(server: Server, path: str, message: str, times: int) -> None:
    error = failure_of(f"{server.url}/{path}?token=secret")
    assert f"{server.url}/{path}" in error.message
    assert message in error.message
    assert "secret" not in f"{error} {error.fix}"
    assert sum(requested.startswith(f"/{path}") for requested, _ in server.requests) == times


def test_redirects_share_the_time_of_a_download(server: Server) -> None:
    error = failure_of(f"{server.url}/slow-redirects")
    assert "was not complete after 1.2 s" in error.message
    assert 1 <= len(server.requests) <= 6  # each takes 0.2 s, and longer on a machine with other work


@pytest.mark.parametrize("path", ["good", "chunked"])
def test_oversized_body_is_refused(server: Server, path: str) -> None:
    with pytest.raises(FetchError, match="larger than 9,999 bytes"):
        QUICK.get(f"{server.url}/{path}", limit_bytes=9_999)


def test_credentials_are_neither_shown_nor_sent(server: Server) -> None:
    error = failure_of(f"http://user:pass@127.0.0.1:{server.server_port}/missing?token=abc#frag")
    assert not {"user", "pass", "token", "abc", "frag"} & set(error.message.replace("/", " ").replace("?", " ").split())
    assert f"{server.url}/missing answered" in error.message
    assert "authorization" not in server.requests[0][1]


def test_refused_connection_is_reported(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "no connection: Connection refused" in failure_of(f"http://127.0.0.1:{port}/x").message


def test_unknown_host_is_reported(server: Server) -> None:
    error = failure_of("http://no-such-host.invalid/x")
    assert "unknown host no-such-host.invalid" in error.message
    assert "HTTPS_PROXY" in (error.fix or "")


@pytest.mark.parametrize(
    "url", ["ftp://example.com/x", "oci://example.com/x", "nothing", "http://", "http://[", "http://a:b/"]
)
def test_invalid_address_is_reported(server: Server, url: str) -> None:
    assert "not an address" in failure_of(url).message


def test_server_without_tls_is_reported(server: Server) -> None:
    assert "does not speak TLS" in failure_of(f"https://127.0.0.1:{server.server_port}/good").message


def test_untrusted_certificate_is_reported(server: Server, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Server() as secure:
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        thread = threading.Thread(target=secure.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        error = failure_of(f"https://127.0.0.1:{secure.server_port}/good")
        secure.shutdown()
        thread.join()
    assert "the certificate of test is self-signed" in error.message
    assert "--ca-file FILE, or SSL_CERT_FILE" in (error.fix or "")


def test_redirect_may_not_leave_https() -> None:
    assert redirected("https://a/x", "/y") == "https://a/y"
    assert redirected("http://a/x", "https://b/y") == "https://b/y"
    with pytest.raises(FetchError, match="leaves HTTPS"):
        redirected("https://a/x", "http://a/x")


@pytest.mark.parametrize("shape", ["http://{}", "{}", "http://us%20er:pass@{}"])
def test_proxy_is_used(server: Server, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    monkeypatch.setenv("http_proxy", shape.format(f"127.0.0.1:{server.server_port}"))
    downloads = HttpDownloads(Policy(retries=0))
    assert downloads.get("http://charts.invalid/x", limit_bytes=LIMIT) == b"by proxy"
    path, headers = server.requests[0]
    assert path == "http://charts.invalid/x"
    expected = "Basic " + base64.b64encode(b"us er:pass").decode() if "pass" in shape else None
    assert headers.get("proxy-authorization") == expected
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    assert downloads.get(f"{server.url}/good", limit_bytes=LIMIT) == BODY


def test_proxy_on_a_wrong_port_is_reported(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        proxy = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("all_proxy", f"http://user:pass@{proxy}")
    for scheme in ("http", "https"):
        error = failure_of(f"{scheme}://charts.invalid/x")
        assert f"the proxy http://{proxy} does not answer: Connection refused" in error.message
        assert "ALL_PROXY" in (error.fix or "")


def test_refusing_or_invalid_proxy_is_reported(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", f"http://user:pass@127.0.0.1:{server.server_port}")
    error = failure_of("https://charts.invalid/x")
    assert f"the proxy http://127.0.0.1:{server.server_port} refuses the request: 403 Forbidden" in error.message
    assert "pass" not in error.message
    monkeypatch.setenv("all_proxy", "http://user:pass@127.0.0.1:80800")
    assert "the proxy http://127.0.0.1:80800 is not an address" in failure_of("https://charts.invalid/x").message
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    assert "the proxy socks5://127.0.0.1:1 has an unknown scheme" in failure_of("https://charts.invalid/x").message


@pytest.mark.parametrize("downloads", [QUICK, OfflineDownloads()])
def test_file_urls_are_read(tmp_path: Path, downloads: HttpDownloads | OfflineDownloads) -> None:
    path = tmp_path / "with space ü.yaml"
    path.write_bytes(BODY)
    assert downloads.get(path.as_uri(), limit_bytes=len(BODY)) == BODY
    cases: list[tuple[str, int, str]] = [
        (path.as_uri(), len(BODY) - 1, "larger than"),
        ((tmp_path / "none").as_uri(), LIMIT, "No such file"),
        (f"file://elsewhere{path}", LIMIT, "another machine"),
        ("file:///a%00b", LIMIT, "cannot be read"),
    ]
    for url, limit, message in cases:
        with pytest.raises(FetchError, match=message):
            downloads.get(url, limit_bytes=limit)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("downloads", [QUICK, OfflineDownloads()])
def test_pipes_and_devices_are_not_read(tmp_path: Path, downloads: HttpDownloads | OfflineDownloads) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for place in (tmp_path / "pipe", tmp_path / "link", Path("/dev/zero"), tmp_path):
        with pytest.raises(FetchError, match=r"cannot be read: (it is not a regular file|Is a directory)"):
            downloads.get(place.as_uri(), limit_bytes=LIMIT)


def test_offline_downloads_refuse_the_network() -> None:
    with pytest.raises(OfflineError) as raised:
        OfflineDownloads().get("https://user:pass@example.com/x.tgz?token=y", limit_bytes=1)
    assert raised.value.message == "--offline: https://example.com/x.tgz is not in the store and may not be downloaded"
    assert "--mirror DIR" in (raised.value.fix or "")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and its self-signed certificate in one file."""
    path = tmp_path / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    try:
        done = subprocess.run([*command, "-keyout", str(path), "-out", "-"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs the openssl program")
    path.write_bytes(path.read_bytes() + done.stdout)
    return path
