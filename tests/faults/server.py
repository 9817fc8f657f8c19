"""A web server whose requests fail, by seed.

The fault of a request depends on the seed, its path, and how often that path was requested before: threads and their
order do not matter, so a run with the same seed has the same faults.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import random
import re
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.servers import threaded


class Fault(StrEnum):
    """What goes wrong with a response."""

    RESET = "the connection is reset before the headers"
    HANG_UP = "the connection is closed before the headers"
    BUSY = "503"
    BROKEN = "500"
    BAD_GATEWAY = "502"
    TOO_MANY = "429 with Retry-After"
    TRUNCATED = "half of the body, then the end"
    RESET_MIDWAY = "half of the body, then a reset"
    CUT_CHUNKS = "half of the body in chunks, then the end"
    SLOW_HEADERS = "the headers come byte by byte"
    SLOW_BODY = "the body comes byte by byte"
    SILENT = "nothing comes"


QUICK = tuple(fault for fault in Fault if fault not in (Fault.SLOW_HEADERS, Fault.SLOW_BODY, Fault.SILENT))
"""Those that need no time-out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """``share`` (0 to 1) of all requests fail, each with one of ``kinds``."""

    seed: int = 0
    share: float = 0.0
    kinds: Sequence[Fault] = QUICK

    def of(self, path: str, attempt: int) -> Fault | None:
        chance = random.Random(f"{self.seed} {path} {attempt}")
        return chance.choice(list(self.kinds)) if chance.random() < self.share else None


@dataclass(kw_only=True)
class Site:
    """The files of a server by their paths, its redirects, and how it behaves. ``latency`` in seconds."""

    files: Mapping[str, bytes]
    redirects: Mapping[str, str] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    latency: float = 0.0
    has_ranges: bool = True
    has_tags: bool = True
    range_shift: int = 0
    """How much later than asked for a part begins."""
    range_most: int = 1 << 30
    """The longest part that is sent."""
    retry_after: int = 0


class FaultServer(http.server.ThreadingHTTPServer):
    """Serves a `Site`; `requests` has what was requested: method, path, and headers with lower-case names."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, site: Site, *, certificate: Path | None = None, client_authority: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = site
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.faults: Counter[Fault] = Counter()
        self.most_at_once = 0
        self.connections = 0
        self.stopped = threading.Event()
        self.guard = threading.Lock()
        self._at_once = 0
        self._attempts: Counter[str] = Counter()
        self._context: ssl.SSLContext | None = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
            if client_authority:
                self._context.load_verify_locations(client_authority)
                self._context.verify_mode = ssl.CERT_REQUIRED

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.server_port}"

    def finish_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        """In the thread of the connection: a handshake keeps nobody else waiting."""
        with self.guard:
            self.connections += 1
        if self._context is None:
            super().finish_request(request, client_address)
            return
        with self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secure:
            secure.do_handshake()
            super().finish_request(secure, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""

    def next_fault(self, path: str) -> Fault | None:
        with self.guard:
            self._attempts[path] += 1
            fault = self.site.faults.of(path, self._attempts[path])
            if fault:
                self.faults[fault] += 1
            return fault

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """One request more at once."""
        with self.guard:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self.guard:
                self._at_once -= 1


@contextlib.contextmanager
def serving(site: Site, **options: Path) -> Iterator[FaultServer]:
    """A running server, for as long as the context lasts."""
    with FaultServer(site, **options) as server, threaded.running(server):
        try:
            yield server
        finally:
            server.stopped.set()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FaultServer

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        with self.server.counted():
            site = self.server.site
            with self.server.guard:
                headers = {name.lower(): text for name, text in self.headers.items()}
                self.server.requests.append((self.command, self.path, headers))
            self.server.stopped.wait(site.latency)
            if target := site.redirects.get(self.path):
                self._answer(302, b"", {"Location": target})
            elif self.path not in site.files:
                self._answer(404, b"nothing here", {})
            else:
                self._file(site.files[self.path], self.server.next_fault(self.path))

    do_HEAD = do_GET  # noqa: N815 - the name that Python's server looks for

    def _file(self, content: bytes, fault: Fault | None) -> None:
        site = self.server.site
        statuses = {Fault.BUSY: 503, Fault.BROKEN: 500, Fault.BAD_GATEWAY: 502, Fault.TOO_MANY: 429}
        if fault in statuses:
            self._answer(
                statuses[fault], b"not now", {"Retry-After": str(site.retry_after)} if fault is Fault.TOO_MANY else {}
            )
        elif fault in (Fault.RESET, Fault.HANG_UP, Fault.SILENT, Fault.SLOW_HEADERS):
            self._fail(fault)
        else:
            self._part(content, fault)

    def _part(self, content: bytes, fault: Fault | None) -> None:
        """The whole content, or what is asked for of it."""
        site, tag = self.server.site, f'"{hashlib.sha256(content).hexdigest()}"'
        headers = {"ETag": tag} if site.has_tags else {}
        if site.has_tags and self.headers.get("If-None-Match") == tag:
            self._answer(304, b"", headers)
            return
        status, start, end = 200, 0, len(content)
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and site.has_ranges and self.headers.get("If-Range", tag) == tag:
            status, start = 206, int(asked[1]) + site.range_shift
            end = min(len(content), start + site.range_most)
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        self._answer(status, content[start:end], headers, fault)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str], fault: Fault | None = None) -> None:
        is_chunked = fault is Fault.CUT_CHUNKS
        self.send_response(status)
        self.send_header("Transfer-Encoding", "chunked") if is_chunked else self.send_header(
            "Content-Length", str(len(body))
        )
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        half = body[: len(body) // 2]
        if self.command == "HEAD" or status in (204, 304):
            return
        if is_chunked:
            self.wfile.write(b"%x\r\n%b" % (len(body) + 1, half))
            self.close_connection = True
        elif fault in (Fault.TRUNCATED, Fault.RESET_MIDWAY, Fault.SLOW_BODY):
            self.wfile.write(half)
            self._fail(fault, body[len(half) :])
        else:
            self.wfile.write(body)

    def _fail(self, fault: Fault, rest: bytes = b"") -> None:
        self.close_connection = True
        self.wfile.flush()
        match fault:
            case Fault.RESET | Fault.RESET_MIDWAY:  # no lingering: the close is a reset
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            case Fault.SILENT:
                self.server.stopped.wait(20)
            case Fault.SLOW_HEADERS:
                self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"." * 9999)
            case Fault.SLOW_BODY:
                self._drip(rest)

    def _drip(self, content: bytes) -> None:
        with contextlib.suppress(OSError):
            for byte in content:
                self.wfile.write(bytes([byte]))
                if self.server.stopped.wait(0.05):
                    return
