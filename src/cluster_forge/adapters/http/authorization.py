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
        """What is known to be required already: a token that was fetched before. Nothing at first."""

    def answer(self, url: str, scope: str, challenges: Sequence[str]) -> Mapping[str, str] | None:
        """What to send after a 401 with these ``WWW-Authenticate`` headers; None if there is nothing to offer.

        Raises:
            FetchError: if a token cannot be fetched.
        """

    def used(self, url: str) -> str:
        """Which credential the requests to this origin have, and where it is from, for an error; empty if none."""
