"""A request as data, and what a redirect makes of it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final
from urllib.parse import urljoin, urlsplit

from cluster_forge.adapters.http import failures
from cluster_forge.adapters.http.origins import PORTS, origin
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

_OF_ORIGIN: Final = frozenset({"authorization", "cookie"})
"""Headers that are for the origin of an address only."""
_OF_BODY: Final = frozenset({"content-length", "content-type", "content-range"})
_READING: Final = ("GET", "HEAD")
_TO_GET: Final = {(301, "POST"), (302, "POST")}

Body = bytes | Callable[[], BinaryIO] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent. ``scope`` is what a token for it must allow; ``retries``: it may be sent again.

    ``home`` is the address that it belongs to, if a server has named ``url``, in a redirect or as the next step of an upload.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = None
    scope: str = ""
    retries: bool = True
    home: str = ""

    @property
    def is_authorized(self) -> bool:
        """Whether it may have a credential. One that changes anything has none where another origin sent it: no server
        deletes or replaces what is elsewhere with this user's rights there (containerd drops its authorizer, too).
        """
        return self.method in _READING or origin(self.home or self.url) == origin(self.url)

    def redirected(self, status: int, target: str) -> Request:
        """The request that a redirect asks for (RFC 9110, 15.4). Another origin gets nothing that was for this one.

        Raises:
            FetchError: if it is not an HTTP address, or leaves HTTPS.
        """
        place = redirected(self.url, target)
        is_same_origin = origin(place) == origin(self.url)
        becomes_get = (status == 303 and self.method != "HEAD") or (status, self.method) in _TO_GET
        dropped = (frozenset() if is_same_origin else _OF_ORIGIN) | (_OF_BODY if becomes_get else frozenset())
        return replace(
            self,
            url=place,
            method="GET" if becomes_get else self.method,
            body=None if becomes_get else self.body,
            headers={name: value for name, value in self.headers.items() if name.lower() not in dropped},
            scope=self.scope if is_same_origin else "",
            home=self.home or self.url,
        )

    def opened_body(self) -> Upload | None:
        """The body, from its beginning."""
        if self.body is None:
            return None
        return Upload(io.BytesIO(self.body) if isinstance(self.body, bytes) else self.body())


class Upload:
    """A body that is being sent; ``moved`` is when the last part of it was taken (monotonic seconds)."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.moved = time.monotonic()
        self._is_closed = False

    def read(self, count: int = -1) -> bytes:
        """The next part.

        Raises:
            TimeoutError: if the answer is not waited for any more.
        """
        if self._is_closed:
            raise TimeoutError
        self.moved = time.monotonic()
        return self._source.read(count)

    def close(self) -> None:
        self._is_closed = True
        self._source.close()


def redirected(url: str, target: str) -> str:
    """The address that a redirect from ``url`` to ``target`` means.

    Raises:
        FetchError: if it is not an HTTP address, or leaves HTTPS.
    """
    try:
        place = urljoin(url, target)
        scheme = urlsplit(place).scheme
    except ValueError as error:
        raise FetchError(
            f"{without_credentials(url)} redirects to something that is not an address", fix=failures.LATER
        ) from error
    if scheme not in PORTS or (scheme == "http" and urlsplit(url).scheme == "https"):
        raise FetchError(
            f"{without_credentials(url)} redirects to {without_credentials(place)}, which is not followed: it leaves HTTPS",
            fix="check the address; if you trust the other one, write that",
        )
    return place
