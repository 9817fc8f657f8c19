"""Who may read: anonymous first, then what the server asks for, with the user's credential for this host.

What was granted is kept for origin, credential and scope, and asked for again shortly before it expires.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster_forge.adapters.http import challenges as challenge_header
from cluster_forge.adapters.http.challenges import Challenge
from cluster_forge.adapters.http.origins import origin
from cluster_forge.adapters.http.tokens import TokenService, basic, bearer
from cluster_forge.ports.credentials import Credential, CredentialKind, Credentials

_HEADER: Final = "Authorization"
_EARLY: Final = 0.1
"""The part of its lifetime by which a token is renewed before it expires, at most `_EARLIEST` seconds."""
_EARLIEST: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Key:
    origin: tuple[str, str, int]
    credential: Credential | None
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grant:
    """A header's value, until when it is used (monotonic seconds; None: always), and how to get the next one."""

    value: str
    until: float | None = None
    challenge: Challenge | None = None


class ChallengedAuthorization:
    """`Authorization` by Basic (RFC 7617) and Bearer with a token service. Of threads that need the same, one asks."""

    def __init__(
        self,
        credentials: Credentials,
        tokens: TokenService,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._credentials = credentials
        self._tokens = tokens
        self._clock = clock
        self._grants: dict[_Key, _Grant] = {}
        self._asking: set[tuple[str, str, int]] = set()
        """The origins that asked for something so far."""
        self._locks: dict[_Key, threading.Lock] = {}

    def headers(self, url: str, scope: str) -> Mapping[str, str]:
        if origin(url) not in self._asking:
            return {}
        key = _Key(origin(url), self._credential(url), scope)
        with self._lock(key):
            grant = self._grants.get(key)
            if grant and grant.challenge and self._is_over(grant):
                grant = self._granted(key, url, [grant.challenge])
        return {_HEADER: grant.value} if grant else {}

    def answer(self, url: str, scope: str, challenges: Sequence[str], refused: str) -> Mapping[str, str] | None:
        self._asking.add(origin(url))
        key = _Key(origin(url), self._credential(url), scope)
        with self._lock(key):
            grant = self._grants.get(key)
            if grant is None or grant.value == refused or self._is_over(grant):
                grant = self._granted(key, url, challenge_header.parse(challenges))
        return {_HEADER: grant.value} if grant and grant.value != refused else None

    def used(self, url: str) -> str:
        if origin(url) not in self._asking:
            return ""
        credential = self._credentials.of(url)
        if credential and not self._may_have(url, credential):
            return f"{credential}, which is not sent without TLS"
        return str(credential) if credential else ""

    def _granted(self, key: _Key, url: str, challenges: Iterable[Challenge]) -> _Grant | None:
        """What answers the first challenge that can be answered, Bearer before Basic; it is kept, or what was is dropped."""
        credential = key.credential
        grant = None
        by_scheme = {challenge.scheme: challenge for challenge in reversed(list(challenges))}
        wanting_token = by_scheme.get("bearer")
        if wanting_token and credential and credential.kind is CredentialKind.TOKEN:
            grant = _Grant(value=bearer(credential))
        elif wanting_token and wanting_token.parameters.get("realm", "").startswith(("https://", "http://")):
            grant = self._token(key, url, wanting_token)
        elif "basic" in by_scheme and credential and credential.kind is CredentialKind.PASSWORD:
            grant = _Grant(value=basic(credential))
        if grant:
            self._grants[key] = grant
        else:
            self._grants.pop(key, None)
        return grant

    def _token(self, key: _Key, url: str, challenge: Challenge) -> _Grant:
        asked = key.scope.split()
        wanted = challenge.parameters.get("scope", "").split()
        scopes = list(dict.fromkeys([*asked, *(scope for scope in wanted if not _is_within(scope, asked))]))
        token = self._tokens.token(url, challenge, scopes, key.credential)
        until = self._clock() + token.lifetime - min(_EARLIEST, token.lifetime * _EARLY)
        return _Grant(value=f"Bearer {token.value}", until=until, challenge=challenge)

    def _credential(self, url: str) -> Credential | None:
        """The credential that may be sent to ``url``."""
        credential = self._credentials.of(url)
        return credential if credential and self._may_have(url, credential) else None

    def _may_have(self, url: str, credential: Credential) -> bool:
        """Whether it is safe on the way, or the user accepts that it is not: by the host's name, or in the address itself."""
        is_encrypted = origin(url)[0] == "https"
        return is_encrypted or self._tokens.requests.may_be_plain(url) or credential.is_for_plain_http

    def _is_over(self, grant: _Grant) -> bool:
        return grant.until is not None and self._clock() >= grant.until

    def _lock(self, key: _Key) -> threading.Lock:
        return self._locks.setdefault(key, threading.Lock())


def _is_within(scope: str, others: Sequence[str]) -> bool:
    """Whether others ask for all of it: the same resource with at least its actions (``type:name:action,…``)."""
    resource, _, actions = scope.rpartition(":")
    return any(
        resource == other.rpartition(":")[0] and set(actions.split(",")) <= set(other.rpartition(":")[2].split(","))
        for other in others
    )
