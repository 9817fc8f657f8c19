"""What proves who the user is, as it is sent: got when it is needed, kept until it expires, got again when it is refused."""

from __future__ import annotations

import base64
import binascii
import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import orjson

from cluster_forge.adapters.http import certificates
from cluster_forge.adapters.kubernetes import exec_plugin, pem
from cluster_forge.adapters.kubernetes.access import Access, Impersonation, UserEntry
from cluster_forge.foundation.errors import ClusterError, KubeconfigError

_LARGEST_TOKEN: Final = 1 << 20
_FILE_SECONDS: Final = 60.0
"""How long what a token's file had is used (client-go, ``NewCachedFileTokenSource``)."""
_EARLY: Final = 30.0
"""Seconds by which a credential is renewed before it expires."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Headers for each request, and a certificate with its key (PEM) for the connection."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    certificate: tuple[bytes, bytes] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Kept:
    credential: Credential
    until: float | None


class Credentials:
    """The credentials of a context's user; safe for several threads, of which one asks."""

    def __init__(
        self, access: Access, environment: Mapping[str, str], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._access = access
        self._environment = environment
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: _Kept | None = None

    def current(self) -> Credential:
        """What to send now.

        Raises:
            KubeconfigError: if a file cannot be read, or a plug-in fails.
        """
        with self._lock:
            kept = self._kept
            if kept is None or (kept.until is not None and self._clock() >= kept.until):
                kept = self._kept = self._got()
            return kept.credential

    def renewed(self, refused: Credential) -> Credential | None:
        """What to send after a 401; None if there is nothing else.

        Raises:
            KubeconfigError: as `current`.
        """
        with self._lock:
            if self._kept is None or self._kept.credential == refused:
                self._kept = self._got()
            return None if self._kept.credential == refused else self._kept.credential

    def refused(self, credential: Credential, answer: str) -> ClusterError:
        """The error for a 401 with it; ``answer`` is the server's own word."""
        user, access = self._access.user, self._access
        name = f"the user {user.name!r}" if user.name else "a user without a name"
        reason, fix = self._reason(credential)
        return ClusterError(
            f"{access.cluster.server} does not know {name}: {reason or answer}",
            where=user.where or access.where,
            fix=fix,
            is_lasting=True,
        )

    def _got(self) -> _Kept:
        user = self._access.user
        certificate = (pem.content(user.certificate), pem.content(user.key)) if user.certificate and user.key else None
        until: float | None = None
        if user.token_file and (user.token_file.exists() or not user.token):
            login, until = f"Bearer {_token(user.token_file)}", self._clock() + _FILE_SECONDS
        elif user.token:
            login = f"Bearer {_checked(user.token, user.where)}"
        elif user.login:
            encoded = base64.b64encode(f"{user.login}:{user.password}".encode()).decode()
            login = f"Basic {encoded}"
        elif user.plugin:
            granted = exec_plugin.run(user.plugin, self._access.cluster, self._environment)
            login = f"Bearer {_checked(granted.token, user.plugin.where)}" if granted.token else ""
            certificate = (granted.certificate, granted.key) if granted.certificate and granted.key else certificate
            until = granted.until - _EARLY if granted.until is not None else None
        else:
            login = ""
        headers = ((("Authorization", login),) if login else ()) + tuple(_impersonated(user.impersonation))
        return _Kept(Credential(headers, certificate), until)

    def _reason(self, credential: Credential) -> tuple[str, str]:
        """Why it is not valid, if that can be seen, and what to do."""
        user = self._access.user
        token = next(
            (value.removeprefix("Bearer ") for name, value in credential.headers if name == "Authorization"), ""
        )
        ends = _end_of_token(token)
        if ends and ends.timestamp() <= self._clock():
            return f"the token expired on {certificates.day(ends)}", _fix(user, "token")
        first = pem.first(credential.certificate[0]) if credential.certificate else None
        if first and first.ends.timestamp() <= self._clock():
            return f"the client certificate of {first.subject} expired on {certificates.day(first.ends)}", _fix(
                user, "certificate"
            )
        if credential.certificate and not token:
            issuer = first.issuer if first else "another authority"
            return (
                f"it does not trust the client certificate, which {issuer} issued",
                f"{_fix(user, 'certificate')}: a cluster that was made again has another authority",
            )
        if not token:
            return (
                "",
                "add a token, a client certificate or a plug-in to the user, or choose another context: --context NAME",
            )
        return "", _fix(user, "token")


def _fix(user: UserEntry, what: str) -> str:
    if user.plugin:
        return f"log in again with what the plug-in {user.plugin.command!r} belongs to"
    if user.token_file:
        return f"write a new token into {user.token_file}"
    return f"get a new {what}: log in with your cluster's own program, which writes the kubeconfig"


def _token(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST_TOKEN)
    except OSError as error:
        raise KubeconfigError(
            f"the token's file cannot be read: {error.strerror}", where=str(file), fix="correct `tokenFile`"
        ) from error
    return _checked(content.decode("utf-8", "replace").strip(), str(file))


def _checked(token: str, where: str) -> str:
    """A token that can be a header."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise KubeconfigError(
            "the token is empty, or has characters that no token has", where=where, fix="write the token alone"
        )
    return token


def _impersonated(identity: Impersonation) -> list[tuple[str, str]]:
    """Kubernetes, "User impersonation"."""
    headers = [("Impersonate-User", identity.user)] if identity.user else []
    headers += [("Impersonate-Uid", identity.uid)] if identity.uid else []
    headers += [("Impersonate-Group", group) for group in identity.groups]
    headers += [
        (f"Impersonate-Extra-{quote(key, safe='')}", value)
        for key, values in identity.extra.items()
        for value in values
    ]
    for _, value in headers:
        if not value.isprintable():
            raise KubeconfigError(
                "`as`, `as-uid`, `as-groups` or `as-user-extra` has control characters", fix="remove them"
            )
    return [(name, value.encode().decode("latin-1")) for name, value in headers]


def _end_of_token(token: str) -> datetime | None:
    """When a JWT expires (RFC 7519, 4.1.4); it is not verified: that is for a message."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    with contextlib.suppress(binascii.Error, ValueError, OverflowError, OSError, TypeError, KeyError):
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    return None
