"""A token server for registries, by the specification of distribution: it signs what a user may do of what was asked for.

It answers ``GET /token`` with Basic or without credentials, and ``POST /token`` (OAuth 2) with a password or a refresh
token. The registry itself is distribution's; `login_server` is both in one, for answers that no real one gives.
"""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.servers import threaded
from tests.servers.signing import SigningKey

ANONYMOUS = ""
ISSUER = "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What somebody may do in the repositories of a pattern: ``pull``, ``push``, ``delete``."""

    repositories: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A request that came: ``user`` is empty for an anonymous one."""

    method: str
    user: str
    service: str
    scopes: tuple[str, ...]
    was_granted: bool


@dataclass(slots=True, kw_only=True)
class TokenServer:
    """What it knows, and what it was asked. ``lifetime`` is that of the tokens which come next, in seconds.

    Registries accept a token for another minute, so one of -58 s is good for 2 s.
    """

    url: str
    key: SigningKey
    passwords: Mapping[str, str]
    grants: Mapping[str, Sequence[Grant]]
    lifetime: int = 300
    requests: list[TokenRequest] = field(default_factory=list)

    def answer(self, method: str, fields: Mapping[str, Sequence[str]], authorization: str) -> tuple[HTTPStatus, object]:
        """Status and body for a request."""
        login = _login(method, fields, authorization)
        scopes = tuple(scope for text in fields.get("scope", ()) for scope in text.split())
        is_known = login is None or self._is_known(*login)
        user = login[0] if login else ANONYMOUS
        service = fields.get("service", ("",))[0]
        self.requests.append(
            TokenRequest(method=method, user=user, service=service, scopes=scopes, was_granted=is_known)
        )
        if not is_known:
            return HTTPStatus.UNAUTHORIZED, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong user or password"}]}
        token = self._token(user, service, scopes)
        body: dict[str, object] = {"token": token, "access_token": token, "expires_in": max(60, self.lifetime)}
        if user and ("offline" in fields.get("access_type", ()) or "true" in fields.get("offline_token", ())):
            body["refresh_token"] = f"refresh-{user}"
        return HTTPStatus.OK, body

    def _is_known(self, user: str, secret: str) -> bool:
        return user in self.passwords and secret in (self.passwords[user], f"refresh-{user}")

    def _token(self, user: str, service: str, scopes: Sequence[str]) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": user, "aud": service, "iat": now, "nbf": now - 600, "exp": now + self.lifetime}
        access = [granted for scope in scopes if (granted := self._granted(user, scope))]
        return self.key.token({**claims, "jti": str(time.monotonic_ns()), "access": access})

    def _granted(self, user: str, scope: str) -> dict[str, object] | None:
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        allowed = {
            action
            for grant in (*self.grants.get(user, ()), *self.grants.get(ANONYMOUS, ()))
            if fnmatch.fnmatchcase(name, grant.repositories)
            for action in grant.actions
        }
        granted = sorted(allowed.intersection(actions.split(",")))
        return {"type": kind, "name": name, "actions": granted} if granted else None


def _login(method: str, fields: Mapping[str, Sequence[str]], authorization: str) -> tuple[str, str] | None:
    """User and password (or refresh token) of a request; None for an anonymous one."""
    if method == "POST":
        refresh = fields.get("refresh_token", ("",))[0]
        if refresh:
            return refresh.removeprefix("refresh-"), refresh
        return fields.get("username", ("",))[0], fields.get("password", ("",))[0]
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return user, password


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())

    def _answer(self, form: str) -> None:
        authorization = self.headers.get("Authorization", "")
        status, answer = self.server.tokens.answer(self.command, parse_qs(form), authorization)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class has
        """Say nothing."""


class _Listener(ThreadingHTTPServer):
    tokens: TokenServer


@contextlib.contextmanager
def running(passwords: Mapping[str, str], grants: Mapping[str, Sequence[Grant]]) -> Iterator[TokenServer]:
    """A token server on a free port; ``grants`` by user, those of `ANONYMOUS` are everybody's."""
    with _Listener(("127.0.0.1", 0), _Handler) as listener:
        url = f"http://127.0.0.1:{listener.server_port}/token"
        listener.tokens = TokenServer(url=url, key=SigningKey(), passwords=passwords, grants=grants)
        with threaded.running(listener):
            yield listener.tokens
