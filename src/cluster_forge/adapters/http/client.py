"""Single requests: connections, redirects and bodies. What to fetch, and when to try again, is for the caller."""

from __future__ import annotations

import re
import sys
import threading
import time
import zlib
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout, make_headers
from urllib3.exceptions import HTTPError

from cluster_forge.adapters.http import failures, proxies
from cluster_forge.adapters.http.timing import Exchange, TemporaryError, Timeouts
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 10
_HEADERS: Final = {"User-Agent": "cluster-forge", "Accept-Encoding": "identity"}
_POOL_SIZE: Final = 16
_CHUNK: Final = 1 << 18
_GZIP: Final = b"\x1f\x8b"
_NUMBER: Final = re.compile(r"[0-9]+")
_MOST_DIGITS: Final = 15


class HttpClient:
    """Requests over pooled connections, direct or through the proxy of the environment. Safe for several threads."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._pools: dict[str, PoolManager] = {}
        self._guard = threading.Lock()

    def get(self, url: str, limit_bytes: int) -> bytes:
        """The body of a ``200 OK`` at ``url``, redirects followed.

        Raises:
            TemporaryError: if it may succeed later.
            FetchError: for any other status, more than ``limit_bytes``, a slow response, an encoding that was not asked
                for, no connection, a certificate that is not trusted, or something that is not an HTTP address.
        """
        place, end = url, time.monotonic() + self._timeouts.whole
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                answer = Exchange(partial(self._answer, place, limit_bytes)).result(self._timeouts, end)
            except TimeoutError as error:
                raise FetchError(f"{without_credentials(place)} {error}", fix=failures.LATER) from error
            if isinstance(answer, bytes):
                return answer
            place = redirected(place, answer)
        raise FetchError(
            f"{without_credentials(url)} has too many redirects, the last to {without_credentials(place)}",
            fix="check the address",
        )

    def _answer(self, url: str, limit_bytes: int, answered: Callable[[], None]) -> bytes | str:
        """The body of a ``200 OK``, or the target of a redirect."""
        response = self.open("GET", url)
        answered()
        try:
            target = response.headers.get("Location")
            if response.status in _REDIRECTS and target:
                return target
            if response.status != 200:
                raise failures.of_status(url, response.status, response.headers.get("Retry-After"))
            transfer = response.headers.get("Transfer-Encoding", "").strip().lower()
            if transfer not in ("", "chunked", "identity"):  # of which the client would not take the body apart
                raise _encoded(url, "Transfer-Encoding", transfer)
            content = _body(response, url, limit_bytes)
            refuse_encoded(url, response.headers.get("Content-Encoding", ""), content)
            return content
        finally:
            response.close()

    def open(self, method: str, url: str) -> BaseHTTPResponse:
        """Send a request; the response's status is not judged, its body is not read yet.

        Raises:
            TemporaryError, FetchError: as for `get`.
        """
        try:
            if urlsplit(url).scheme not in ("http", "https"):
                raise FetchError(
                    f"{without_credentials(url)} is not an address to download from",
                    fix="write an https://, http:// or file:// address",
                )
            return self._pool(url).urlopen(
                method,
                _without_user(url),
                headers=_HEADERS,
                timeout=Timeout(connect=self._timeouts.connect, read=self._timeouts.silence),
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        except HTTPError as error:
            raise failures.of_connection(url, error) from error
        except ValueError as error:
            raise FetchError(f"{without_credentials(url)} is not an address", fix="correct the address") from error

    def _pool(self, url: str) -> PoolManager:
        """The connections to use for an address: direct, or through its proxy."""
        proxy = proxies.proxy_for(url)
        with self._guard:
            if proxy not in self._pools:
                self._pools[proxy] = _proxied(proxy) if proxy else PoolManager(maxsize=_POOL_SIZE)
            return self._pools[proxy]


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
    if scheme not in ("http", "https") or (scheme == "http" and urlsplit(url).scheme == "https"):
        raise FetchError(
            f"{without_credentials(url)} redirects to {without_credentials(place)}, which is not followed: it leaves HTTPS",
            fix="check the address; if you trust the other one, write that",
        )
    return place


def refuse_encoded(url: str, encoding: str, content: bytes) -> None:
    """Refuse a body that the server encoded although only ``identity`` was accepted (RFC 9110, 8.4 and 12.5.3).

    Many servers call a ``.tgz`` file gzip-encoded (Apache's ``AddEncoding``): its bytes are the file, and pass.

    Raises:
        FetchError: with the name of the encoding.
    """
    names = [name.strip().lower() for name in encoding.split(",") if name.strip().lower() not in ("", "identity")]
    if not names or (names in (["gzip"], ["x-gzip"]) and _is_gzip_file(url, content)):
        return
    raise _encoded(url, "Content-Encoding", ", ".join(names))


def _encoded(url: str, header: str, value: str) -> FetchError:
    return FetchError(
        f"{without_credentials(url)} came with `{header}: {value[:80]}`, which was not asked for",
        fix="the server, or a proxy before it, must send the file as it is; or use a mirror that has it: --mirror DIR",
    )


def _is_gzip_file(url: str, content: bytes) -> bool:
    """Whether an archive is compressed once, as it should be."""
    if not urlsplit(url).path.endswith((".tgz", ".gz")) or not content.startswith(_GZIP):
        return False
    try:
        return not zlib.decompressobj(wbits=31).decompress(content[:4096], len(_GZIP)).startswith(_GZIP)
    except zlib.error:
        return True  # damaged: that has a message of its own


def _body(response: BaseHTTPResponse, url: str, limit_bytes: int) -> bytes:
    """The whole body of a response, as it was sent."""
    header = response.headers.get("Content-Length", "").strip()
    length = 0
    if _NUMBER.fullmatch(header):
        length = int(header) if len(header) <= _MOST_DIGITS else sys.maxsize
    content = bytearray()
    address = without_credentials(url)
    if length > limit_bytes:
        raise FetchError(f"{address} is larger than {limit_bytes:,} bytes", fix="check the address")
    try:
        while chunk := response.read1(_CHUNK, decode_content=False):
            content += chunk
            if len(content) > limit_bytes:
                raise FetchError(f"{address} is larger than {limit_bytes:,} bytes", fix="check the address")
    except HTTPError as error:
        raise failures.of_connection(url, error) from error
    if len(content) < length:
        message = f"{address} was interrupted: {len(content):,} of {length:,} bytes received"
        raise TemporaryError(FetchError(message, fix=failures.LATER))
    return bytes(content)


def _proxied(proxy: str) -> ProxyManager:
    user = unquote(urlsplit(proxy).netloc.rpartition("@")[0])
    headers = make_headers(proxy_basic_auth=user) if user else None
    return ProxyManager(_without_user(proxy), maxsize=_POOL_SIZE, proxy_headers=headers)


def _without_user(url: str) -> str:
    """The address without user and password."""
    return re.sub(r"://[^/?#]*@", "://", url)
