"""Files fetched by HTTP: whole, as they were sent, or not at all."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit

from cluster_forge.adapters.http import connection_errors, file_urls, proxies
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 10
_TEMPORARY: Final = frozenset({429, 500, 502, 503, 504})
_LONGEST_WAIT: Final = 20.0
_HEADERS: Final = {"User-Agent": "cluster-forge", "Accept-Encoding": "identity"}
_FIXES: Final = {
    401: "the server wants a login: fetch it into a mirror by other means, --mirror DIR",
    403: "the server refuses it: see whether the address is right; a mirror may have it, --mirror DIR",
    404: "see whether the address is right (a chart repository has an index.yaml right below its own); "
    "a mirror may still have it, --mirror DIR",
    407: "give the proxy's user and password in HTTPS_PROXY",
    410: "it was withdrawn: take another version; a mirror may still have it, --mirror DIR",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDownloads:
    """``https://``, ``http://`` and ``file://``, through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name.

    What may be better in a moment (a busy server, a connection that breaks off) is tried again after each of
    ``pauses``, or when the server says, at most 20 seconds later. The other times are in seconds, too: for a
    connection, between two parts of an answer, and for all of it.
    """

    pauses: tuple[float, ...] = (0.3, 1.0, 3.0)
    to_connect: float = 10.0
    silence: float = 30.0
    in_all: float = 900.0
    _pools: dict[str, PoolManager] = field(default_factory=dict, init=False, repr=False)

    def get(self, url: str, *, limit_bytes: int) -> bytes:
        """Everything that the address gives.

        Raises:
            FetchError: for a status other than 200, more than ``limit_bytes``, a truncated or endless answer, no
                connection, a certificate that is not trusted, or an address of another kind.
        """
        if url.startswith("file:"):
            return file_urls.read(url, limit_bytes)
        for pause in self.pauses:
            try:
                return self._once(url, limit_bytes)
            except _TemporaryError as problem:
                if problem.wait > _LONGEST_WAIT:
                    raise problem.error from problem
                time.sleep(max(pause, problem.wait))
        try:
            return self._once(url, limit_bytes)
        except _TemporaryError as problem:
            raise problem.error from problem

    def _once(self, url: str, limit: int) -> bytes:
        place = url
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._open(place)
            try:
                target = response.headers.get("Location")
                if response.status not in _REDIRECTS or not target:
                    return self._body(response, place, limit)
                place = _redirected(place, target)
            finally:
                response.close()
        raise FetchError(
            f"{without_credentials(url)} redirects again and again, at last to {without_credentials(place)}",
            fix="see whether the address is right",
        )

    def _open(self, url: str) -> BaseHTTPResponse:
        from urllib3 import Timeout  # noqa: PLC0415 - only what fetches needs it
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            if urlsplit(url).scheme not in ("http", "https"):
                raise FetchError(
                    f"{without_credentials(url)} is no address to fetch from",
                    fix="write an https://, http:// or file:// address",
                )
            return self._pool(url).urlopen(
                "GET",
                _without_user(url),
                headers=_HEADERS,
                timeout=Timeout(connect=self.to_connect, read=self.silence),
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        except HTTPError as error:
            raise _failed(url, error) from error
        except ValueError as error:
            raise FetchError(f"{without_credentials(url)} is no address", fix="correct the address") from error

    def _pool(self, url: str) -> PoolManager:
        """The connections to use: straight, or by a proxy."""
        from urllib3 import PoolManager, ProxyManager, make_headers  # noqa: PLC0415

        proxy = proxies.named_for(url)
        if proxy not in self._pools:
            if not proxy:
                self._pools[proxy] = PoolManager(maxsize=16)
            else:
                user = unquote(urlsplit(proxy).netloc.rpartition("@")[0])
                headers = make_headers(proxy_basic_auth=user) if user else None
                self._pools[proxy] = ProxyManager(_without_user(proxy), maxsize=16, proxy_headers=headers)
        return self._pools[proxy]

    def _body(self, response: BaseHTTPResponse, url: str, limit: int) -> bytes:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        if response.status != 200:
            raise _refusal(response, url)
        length = response.headers.get("Content-Length", "")
        announced = int(length) if length.isdecimal() else 0
        deadline = time.monotonic() + self.in_all
        content = bytearray()
        try:
            while part := response.read1(1 << 18, decode_content=False):
                content += part
                if max(announced, len(content)) > limit:
                    raise FetchError(
                        f"{without_credentials(url)} is larger than {limit:,} bytes",
                        fix="see whether the address is right",
                    )
                if time.monotonic() > deadline:
                    raise FetchError(
                        f"{without_credentials(url)} was not complete after {self.in_all:.0f} s",
                        fix=connection_errors.LATER,
                    )
        except HTTPError as error:
            raise _failed(url, error) from error
        if len(content) < announced:
            raise _truncated(url, len(content), announced)
        return bytes(content)


def _failed(url: str, error: Exception) -> Exception:
    told = connection_errors.told(url, error)
    return told if connection_errors.is_lasting(error) else _TemporaryError(told)


class _TemporaryError(Exception):
    """A problem that may be gone in ``wait`` seconds."""

    def __init__(self, error: FetchError, wait: float = 0.0) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait = wait


def _redirected(url: str, target: str) -> str:
    try:
        place = urljoin(url, target)
        scheme = urlsplit(place).scheme
    except ValueError as error:
        raise FetchError(
            f"{without_credentials(url)} redirects to what is no address", fix=connection_errors.LATER
        ) from error
    if scheme not in ("http", "https") or (scheme == "http" and urlsplit(url).scheme == "https"):
        raise FetchError(
            f"{without_credentials(url)} redirects to {without_credentials(place)}, which is not followed: it leaves HTTPS",
            fix="see whether the address is right; write the other one if you trust it",
        )
    return place


def _refusal(response: BaseHTTPResponse, url: str) -> Exception:
    from http.client import responses  # noqa: PLC0415 - only where something is refused

    status = response.status
    answer = f"{status} {responses.get(status, '')}".rstrip()
    error = FetchError(f"{without_credentials(url)} answered {answer}", fix=_FIXES.get(status, connection_errors.LATER))
    return _TemporaryError(error, _seconds(response.headers.get("Retry-After"))) if status in _TEMPORARY else error


def _seconds(retry_after: str | None) -> float:
    """What ``Retry-After`` says (RFC 9110, 10.2.3): a number of seconds, or a date."""
    if not retry_after:
        return 0.0
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0


def _truncated(url: str, found: int, announced: int) -> _TemporaryError:
    message = f"{without_credentials(url)} broke off: {found:,} of {announced:,} bytes came"
    return _TemporaryError(FetchError(message, fix=connection_errors.LATER))


def _without_user(url: str) -> str:
    """The address without user and password."""
    return re.sub(r"://[^/]*@", "://", url)
