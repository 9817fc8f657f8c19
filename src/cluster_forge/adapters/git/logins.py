"""Credentials of this user for calls of ``git``: by a credential helper of our own, whose answer is in the environment.

Git asks it after a 401, for the host of the repository only (gitcredentials(7)). The user's own helpers are left out then:
what works, Git hands to all of them, and they would keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.ports.credentials import Credential, CredentialKind, Credentials

_USER: Final = "CLUSTER_FORGE_GIT_USER"
_SECRET: Final = "CLUSTER_FORGE_GIT_SECRET"  # noqa: S105 - the name of a variable
_HELPER: Final = f'!f() {{ test "$1" = get && printf \'username=%s\\npassword=%s\\n\' "${_USER}" "${_SECRET}"; }}; f'
_ANY_USER: Final = "token"
"""For a token alone: servers look at the password only."""


@dataclass(frozen=True, slots=True)
class GitLogin:
    """What a call of ``git`` is given: settings (``-c``), and variables, which have the secret."""

    settings: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


NO_LOGIN: Final = GitLogin()


def of(repository: str, credentials: Credentials | None) -> GitLogin:
    """The login for a repository, that in its address first; nothing where Git finds it by itself: SSH, its helpers.

    Raises:
        CredentialError: if a place that may have it cannot be read.
    """
    parts = urlsplit(repository)
    if parts.scheme not in ("http", "https"):
        return NO_LOGIN
    credential = _in_address(parts)
    if credentials and not parts.username:
        credential = credentials.of(repository)
    if credential is None or credential.kind is CredentialKind.IDENTITY_TOKEN:
        return NO_LOGIN
    if any(letter in credential.user + credential.secret for letter in "\r\n\0"):
        return NO_LOGIN
    user, secret = (credential.user, credential.secret) if credential.secret else ("", credential.user)
    return GitLogin(
        ("credential.helper=", f"credential.{parts.scheme}://{parts.netloc.rpartition('@')[2]}.helper={_HELPER}"),
        {_USER: user or _ANY_USER, _SECRET: secret},
    )


def remote(repository: str) -> str:
    """The lines of a configuration for the remote repository ``origin``: Git gives its URL to other programs as an argument,
    which every user of the machine sees. So there is no login in it; a user without a password is a setting of its own.
    """
    parts = urlsplit(repository)
    is_http = parts.scheme in ("http", "https")
    user = unquote(parts.username) if is_http and parts.username and not parts.password else ""
    url = without_credentials(repository) if is_http else repository
    named = f"[credential]\n\tusername = {_quoted(user)}\n" if user else ""
    return f'[remote "origin"]\n\turl = {_quoted(url)}\n{named}'


def _in_address(parts: SplitResult) -> Credential | None:
    """User and password in an address; None if it has a user only, whose password Git's helpers know."""
    if not parts.username or not parts.password:
        return None
    return Credential(source="the address", user=unquote(parts.username), secret=unquote(parts.password))


def _quoted(value: str) -> str:
    """A value as a configuration has it (git-config(1), "Syntax")."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
