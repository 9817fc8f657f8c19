"""A registry and a token service on 127.0.0.1 that check what they are sent: the scope, the password, when a token expires.

What it answers is written by hand, odd and hostile answers too; `token_server` signs tokens for distribution's registry,
which checks them itself.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit


@dataclass
class LoginServer:
    """``/v2/…`` wants a token for the scope ``repository:<path>:pull``; ``/token`` gives tokens to those who may have them.

    ``passwords`` by user and ``identity_tokens`` may have every scope; without one of them, only those in ``public`` are
    given. ``/basic/…`` wants one of ``passwords`` as Basic, and then answers with one of ``files``. ``asked`` are the requests to ``/token`` as method and fields.
    """

    passwords: dict[str, str] = field(default_factory=dict)
    identity_tokens: set[str] = field(default_factory=set)
    public: set[str] = field(default_factory=set)
    lifetime: float = 60.0
    says_lifetime: float | None = None
    realm: str = ""
    challenge: str = ""
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    tokens: dict[str, tuple[set[str], float]] = field(default_factory=dict)
    address: str = ""
    pause: float = 0.0
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)

    def revoke(self) -> None:
        self.tokens.clear()

    def user_of(self, header: str) -> str | None:
        """The user of a Basic header with the right password; None: wrong, empty: without one."""
        if not header:
            return ""
        scheme, _, encoded = header.partition(" ")
        user, colon, password = base64.b64decode(encoded).decode().partition(":")
        return user if scheme == "Basic" and colon and self.passwords.get(user) == password else None

    def may_pull(self, header: str, repository: str) -> bool:
        scopes, until = self.tokens.get(header.removeprefix("Bearer "), (set(), 0.0))
        return time.monotonic() < until and (
            not repository
            or any(
                scope.startswith(f"repository:{repository}:") and "pull" in scope.rpartition(":")[2].split(",")
                for scope in scopes
            )
        )

    def grant(self, scopes: list[str], *, is_known: bool) -> dict[str, object]:
        given = {scope for scope in scopes if is_known or scope in self.public}
        token = f"token-{len(self.asked)}-{threading.get_ident()}"
        self.tokens[token] = given, time.monotonic() + self.lifetime
        shown = self.lifetime if self.says_lifetime is None else self.says_lifetime
        return {"access_token": token, "expires_in": round(shown)}


class _Handler(http.server.BaseHTTPRequestHandler):
    state: ClassVar[LoginServer]

    def do_GET(self) -> None:
        parts, header = urlsplit(self.path), self.headers.get("Authorization", "")
        self.state.authorizations.append(header)
        if target := self.state.redirects.get(parts.path):
            self.send_response(302)
            self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif parts.path == "/token":
            self._give_token(header, parse_qs(parts.query, keep_blank_values=True))
        elif parts.path.startswith("/basic/"):
            is_known = bool(self.state.user_of(header))
            content = self.state.files.get(parts.path, {"path": parts.path})
            self._respond(200 if is_known else 401, content if is_known else {}, 'Basic realm="charts"')
        else:
            repository = parts.path.removeprefix("/v2/").strip("/")
            repository = re.split("/(?:manifests|tags)/", repository)[0]
            challenge = f'Bearer realm="{self.state.realm}",service="the registry",scope="repository:{repository}:pull"'
            may_pull = self.state.may_pull(header, repository)
            self._respond(200 if may_pull else 401, {"path": parts.path}, self.state.challenge or challenge)

    do_DELETE = do_GET  # noqa: N815 - the base class names it

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        fields = parse_qs(body, keep_blank_values=True)
        self.state.asked.append(("POST", fields))
        if fields.get("refresh_token", [""])[0] in self.state.identity_tokens:
            self._respond(200, self.state.grant(fields["scope"][0].split(), is_known=True))
        else:
            self._respond(400, {"error": "invalid_grant"})

    def _give_token(self, header: str, fields: dict[str, list[str]]) -> None:
        self.state.asked.append(("GET", fields))
        time.sleep(self.state.pause)
        user = self.state.user_of(header)
        if user is None:
            self._respond(401, {"errors": []})
        else:
            self._respond(200, self.state.grant(fields.get("scope", []), is_known=bool(user)))

    def _respond(self, status: int, content: object, challenge: str = "") -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        if challenge and status == 401:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def serving(server: LoginServer) -> Iterator[LoginServer]:
    """The server, running until the context ends."""
    handler = type("Handler", (_Handler,), {"state": server})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.address = f"http://127.0.0.1:{running.server_port}"
        server.realm = server.realm or f"{server.address}/token"
        yield server
        running.shutdown()
        thread.join()
