"""A relay before a server of the tests, in which requests fail by seed: real registries do not fail when they are asked to."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.faults.server import Fault, Faults
from tests.servers import threaded

STATUSES = {Fault.BUSY: 503, Fault.BROKEN: 500, Fault.BAD_GATEWAY: 502, Fault.TOO_MANY: 429}
_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


class Relay(ThreadingHTTPServer):
    """Passes requests on to ``port`` of this machine; `failed` counts those that it let fail.

    A fault depends on the seed, the request, and how often it came. Some come before the request is passed on, others
    when it is answered: what a client sends may have arrived although it never hears of that.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, faults: Faults) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = port
        self.faults = faults
        self.failed: Counter[Fault] = Counter()
        self._attempts: Counter[str] = Counter()
        self._guard = threading.Lock()

    @property
    def host(self) -> str:
        """As it stands in references: ``127.0.0.1:5000``."""
        return f"127.0.0.1:{self.server_port}"

    def next_fault(self, request: str) -> Fault | None:
        with self._guard:
            self._attempts[request] += 1
            fault = self.faults.of(request, self._attempts[request])
            if fault:
                self.failed[fault] += 1
            return fault

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


@contextlib.contextmanager
def before(port: int, faults: Faults) -> Iterator[Relay]:
    """A running relay."""
    with Relay(port, faults) as relay, threaded.running(relay):
        yield relay


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Relay

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        body = self._body()
        fault = self.server.next_fault(f"{self.command} {self.path}")
        if fault in STATUSES:
            self._answer(STATUSES[fault], {"Retry-After": "0"} if fault is Fault.TOO_MANY else {}, b"not now")
        elif fault in (Fault.RESET, Fault.HANG_UP):
            self._break(fault)
        else:
            self._answer(*self._passed_on(body), fault)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names that Python's server looks for

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline().strip(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _passed_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the real answer. The host is the relay's, for addresses in the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        with contextlib.closing(connection):
            headers = {name: text for name, text in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            connection.request(self.command, self.path, body, headers | {"Content-Length": str(len(body))})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def _answer(self, status: int, headers: dict[str, str], body: bytes, fault: Fault | None = None) -> None:
        if fault and not body:  # the answer is lost
            self._break(fault)
            return
        length = {name.lower(): text for name, text in headers.items()}.get("content-length", str(len(body)))
        self.send_response(status)
        for name, text in headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, text)
        self.send_header("Content-Length", length)
        self.end_headers()
        if fault:
            self.wfile.write(body[: len(body) // 2])
            self._break(fault)
        else:
            self.wfile.write(body)

    def _break(self, fault: Fault) -> None:
        """End the connection, by a reset or quietly."""
        self.close_connection = True
        self.wfile.flush()
        if fault in (Fault.RESET, Fault.RESET_MIDWAY):  # no lingering: the close is a reset
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
