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
    user: str = ""
    kind: CredentialKind = CredentialKind.PASSWORD
    is_for_plain_http: bool = False

    def __str__(self) -> str:
        """For messages: ``the password of 'me' from ~/.docker/config.json``."""
        of_user = f" of {self.user!r}" if self.user else ""
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
