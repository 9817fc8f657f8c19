"""Credentials of this user for calls of ``git``: by a credential helper of our own, whose answer is in the environment.

Git asks it after a 401, for the host of the repository only (gitcredentials(7)). The user's own helpers are left out then:
what works, Git hands to all of them, and they would keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from cluster_forge.ports.credentials import CredentialKind, Credentials

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
    """The login for a repository; nothing where Git finds it by itself: SSH, its helpers, a login in the address.

    Raises:
        CredentialError: if a place that may have it cannot be read.
    """
    parts = urlsplit(repository)
    if credentials is None or parts.scheme not in ("http", "https") or parts.username:
        return NO_LOGIN
    credential = credentials.of(repository)
    if credential is None or credential.kind is CredentialKind.IDENTITY_TOKEN:
        return NO_LOGIN
    if any(letter in credential.user + credential.secret for letter in "\r\n\0"):
        return NO_LOGIN
    user, secret = (credential.user, credential.secret) if credential.secret else ("", credential.user)
    return GitLogin(
        ("credential.helper=", f"credential.{parts.scheme}://{parts.netloc}.helper={_HELPER}"),
        {_USER: user or _ANY_USER, _SECRET: secret},
    )
