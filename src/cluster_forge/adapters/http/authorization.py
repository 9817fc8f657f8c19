"""How requests prove who sends them: what `client.HttpClient` asks for its ``Authorization`` headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Authorization(Protocol):
    """Headers for requests; safe for several threads. ``scope`` is what a registry's token must allow, such as
    ``repository:team/x:pull,push``; empty elsewhere.

    Each ``url`` is the one that is requested, after redirects: what is returned is for its origin only.
    """

    def headers(self, url: str, scope: str) -> Mapping[str, str]:
        """What is known to be required already: a token that was fetched before. Nothing at first.

        Raises:
            FetchError, CredentialError: as `answer`.
        """

    def answer(self, url: str, scope: str, challenges: Sequence[str], refused: str) -> Mapping[str, str] | None:
        """What to send after a 401 with these ``WWW-Authenticate`` headers; None if there is nothing to offer.

        ``refused`` is the ``Authorization`` that was sent; empty if there was none. So of many requests that were refused
        with the same token, one fetches the next.

        Raises:
            FetchError: if a token cannot be fetched.
            CredentialError: if a place with credentials cannot be read.
        """

    def used(self, url: str) -> str:
        """Which credential the requests to this origin have, and where it is from, for an error; empty if none."""
