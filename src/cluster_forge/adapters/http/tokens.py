"""Tokens for a registry, from the token service that it names.

Distribution's "Token Authentication Specification" and "OAuth2 Token Authentication": a ``GET`` with service and scopes,
with the password as Basic; a ``POST`` where the credential is an identity token. What a registry names is not trusted: it
gets what is this registry's own, and only over TLS.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from cluster_forge.adapters.http.challenges import Challenge
from cluster_forge.adapters.http.origins import is_loopback
from cluster_forge.adapters.http.requests import Body
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import CredentialError, FetchError
from cluster_forge.ports.credentials import Credential, CredentialKind

_CLIENT: Final = "cluster-forge"
_LARGEST: Final = 1 << 20
_LIFETIME: Final = 60.0
"""Seconds that a token is valid if the service does not say so."""
_LONGEST_LIFETIME: Final = 86_400.0
_AS_IN_ENVIRONMENT: Final = "surrogateescape"
"""How Python keeps bytes of the environment that are not UTF-8: they are sent as they are."""
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


class Response(Protocol):
    status: int

    def read(self, size: int, /) -> bytes: ...


class Requests(Protocol):
    """`client.HttpClient`, without authorization."""

    def may_be_plain(self, url: str, /) -> bool: ...

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = ...,
        body: Body = ...,
        redirects: bool = ...,
    ) -> AbstractContextManager[Response]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The value for ``Authorization: Bearer``, and for how many seconds it is valid."""

    value: str
    lifetime: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenService:
    """Asks token services."""

    requests: Requests

    def token(self, registry: str, challenge: Challenge, scopes: Sequence[str], credential: Credential | None) -> Token:
        """A token for the scopes; without a credential an anonymous one. ``registry`` is the address that was refused.

        Raises:
            FetchError: if the realm is not one to send a credential to, or if the service refuses or answers nonsense.
        """
        realm = self._realm(registry, challenge.parameters.get("realm", ""))
        service = challenge.parameters.get("service", "")
        if credential and credential.kind is CredentialKind.IDENTITY_TOKEN:
            body = _form(service, scopes, credential.secret)
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            sending = self.requests.send("POST", realm, headers=headers, body=body, redirects=False)
        else:
            headers = {"Authorization": basic(credential)} if credential else {}
            sending = self.requests.send("GET", _asking(realm, service, scopes, credential), headers=headers)
        with sending as response:
            if response.status != 200:
                raise _refused(registry, realm, response.status, credential)
            return _read(response, realm)

    def _realm(self, registry: str, realm: str) -> str:
        """The realm, checked: HTTPS, unless both it and the registry may be reached without; this machine's only for
        a registry on this machine; without a login of its own.
        """
        try:
            parts = urlsplit(realm)
            is_plain = (
                parts.scheme == "http" and urlsplit(registry).scheme == "http" and self.requests.may_be_plain(realm)
            )
            is_foreign = is_loopback(realm) and not is_loopback(registry)
            is_fit = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        except (ValueError, FetchError):  # not an HTTP address
            is_plain = is_foreign = is_fit = False
            parts = urlsplit("")
        if is_fit and not is_foreign and (parts.scheme == "https" or is_plain):
            return urlunsplit(parts._replace(fragment=""))
        raise FetchError(
            f"{without_credentials(registry)} wants a token of {without_credentials(realm) or 'nowhere'}, "
            "where credentials are not sent: a token service must be reached by HTTPS",
            fix="check the address; a registry without TLS is named in `registries`, and its token service, too: "
            '`registries: {"HOST:PORT": {plainHttp: true}}`',
        )


def basic(credential: Credential) -> str:
    """The value of ``Authorization`` with user and password, in UTF-8 (RFC 7617, 2.1)."""
    login = f"{credential.user}:{credential.secret}".encode(errors=_AS_IN_ENVIRONMENT)
    return f"Basic {base64.b64encode(login).decode()}"


def bearer(credential: Credential) -> str:
    """The value of ``Authorization`` with a token as it is (RFC 6750, 2.1).

    Raises:
        CredentialError: if it cannot be one.
    """
    if not _TOKEN.fullmatch(credential.secret):
        raise CredentialError(
            f"{credential} has characters that no token has", fix="write the token alone, or `user:password`"
        )
    return f"Bearer {credential.secret}"


def _asking(realm: str, service: str, scopes: Sequence[str], credential: Credential | None) -> str:
    """The address of the ``GET``: what the realm has in its query stays."""
    parts = urlsplit(realm)
    query = parse_qsl(parts.query, keep_blank_values=True)
    query += [("service", service)] if service else []
    query += [("scope", scope) for scope in scopes]
    query += [("account", credential.user)] if credential and credential.user else []
    return urlunsplit(parts._replace(query=urlencode([*query, ("client_id", _CLIENT)], errors=_AS_IN_ENVIRONMENT)))


def _form(service: str, scopes: Sequence[str], refresh_token: str) -> bytes:
    fields = {"grant_type": "refresh_token", "service": service, "client_id": _CLIENT, "scope": " ".join(scopes)}
    return urlencode({**fields, "refresh_token": refresh_token}).encode()


def _read(response: Response, realm: str) -> Token:
    content = bytearray()
    while len(content) <= _LARGEST and (chunk := response.read(_LARGEST)):
        content += chunk
    answer: object = None
    if len(content) <= _LARGEST:
        with contextlib.suppress(ValueError, RecursionError):
            answer = json.loads(bytes(content))
    fields = answer if isinstance(answer, dict) else {}
    value = fields.get("token") or fields.get("access_token")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise FetchError(
            f"{without_credentials(realm)} answered without a token",
            fix="check the registry's address, or try again later",
        )
    return Token(value=value, lifetime=_lifetime(fields.get("expires_in")))


def _lifetime(seconds: object) -> float:
    """The seconds that a service promises, within bounds."""
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
        return min(float(seconds), _LONGEST_LIFETIME)
    return _LIFETIME


def _refused(registry: str, realm: str, status: int, credential: Credential | None) -> FetchError:
    host = urlsplit(registry).netloc.rpartition("@")[2]
    return FetchError(
        f"{without_credentials(realm)} gives no token for {host}: {status}, asked "
        + (f"with {credential}" if credential else "without a credential"),
        fix=f"log in: cluster-forge login {host}" if status in (400, 401, 403) else "try again later",
    )
