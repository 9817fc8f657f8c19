"""Credentials of this user for hosts: where they are looked up, and where `login` keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class CredentialKind(StrEnum):
    """What the secret is: a password, a refresh token that a token service takes, or a token for the registry itself."""

    PASSWORD = "password"  # noqa: S105 - a kind
    IDENTITY_TOKEN = "identity token"  # noqa: S105 - the same
    TOKEN = "token"  # noqa: S105 - the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What one place has for a host; ``source`` names the place: a file, a program, a variable. The secret is in no text.

    ``is_for_plain_http``: the user wrote it into an ``http://`` address, or beside one, so it may be sent without TLS.
    """

    source: str
    secret: str = field(repr=False)
    user: str = field(default="", repr=False)
    kind: CredentialKind = CredentialKind.PASSWORD
    is_for_plain_http: bool = False

    @property
    def shown_user(self) -> str:
        """The user, for messages; empty where it is alone: then it is a token (``https://TOKEN@host``)."""
        return self.user if self.secret else ""

    def __str__(self) -> str:
        """For messages: ``the password of 'me' from ~/.docker/config.json``."""
        of_user = f" of {self.shown_user!r}" if self.shown_user else ""
        return f"the {self.kind}{of_user} from {self.source}"


class Credentials(Protocol):
    """The credentials that this user has. Safe for several threads."""

    def of(self, url: str) -> Credential | None:
        """The credential for an address; None if there is none.

        Raises:
            CredentialError: if a place that may have it cannot be read.
        """


class CredentialKeeper(Protocol):
    """Where `login` keeps passwords."""

    def keep(self, host: str, user: str, password: str) -> str:
        """Keep a password; the place, for people.

        Raises:
            CredentialError: if it cannot be written.
        """

    def forget(self, host: str) -> str:
        """Remove the password of a host; the place, empty if it had none.

        Raises:
            CredentialError: if it cannot be written.
        """


class Verdict(StrEnum):
    """What a server makes of a login."""

    WORKS = "works"
    NOT_ASKED = "not asked for"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A verdict with its reason, the error's own words, and how to mend it; ``status`` is the HTTP status, 0 without one."""

    verdict: Verdict
    message: str = ""
    fix: str = ""
    status: int = 0


class Logins(Protocol):
    """Tries logins at registries and other servers. Safe for several threads."""

    def attempt(self, address: str, credential: Credential | None = None) -> Trial:
        """What the server at ``address`` makes of a credential, or, without one, of what this user has for it.

        The address of a registry is ``oci://host`` or ``oci://host/repository``, any other is requested as it is.
        """
