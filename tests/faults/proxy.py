"""A proxy that refuses, wants a login, or drops what passes through it, by number of connection."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator

Reaction = Callable[[int], str]
"""What to do with the connection of this number (from 1): ``pass``, ``drop``, or a status line such as ``403 Forbidden``."""


class Proxy:
    """Tunnels ``CONNECT name:port`` to ``port`` on 127.0.0.1, whatever the name; ``asked`` has what was requested."""

    def __init__(self, react: Reaction = lambda _number: "pass", login: str = "") -> None:
        self._react = react
        self._login = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.asked: list[str] = []
        self._is_closed = False

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self) -> None:
        while not self._is_closed:
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._is_closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            head = b""
            while b"\r\n\r\n" not in head and (part := connection.recv(4096)):
                head += part
            line, *fields = head.decode("latin-1").split("\r\n")
            self.asked.append(line)
            reaction = self._react(len(self.asked))
            has_login = f"proxy-authorization: {self._login}".lower() in [field.lower() for field in fields]
            if self._login and not has_login:
                reaction = "407 Proxy Authentication Required"
            if reaction == "drop":
                return
            if reaction != "pass":
                connection.sendall(f"HTTP/1.1 {reaction}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            port = int(line.split()[1].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as server:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._pass_on(connection, server)

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        while not self._is_closed:
            ready, _, _ = select.select([one, other], [], [], 0.2)
            for source in ready:
                part = source.recv(65536)
                if not part:
                    return
                (other if source is one else one).sendall(part)


@contextlib.contextmanager
def proxying(react: Reaction = lambda _number: "pass", login: str = "") -> Iterator[Proxy]:
    """A running proxy, for as long as the context lasts."""
    proxy = Proxy(react, login)
    thread = threading.Thread(target=proxy.run)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
