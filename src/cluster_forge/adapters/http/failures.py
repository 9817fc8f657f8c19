"""Failed requests as errors for the user. The HTTP library's own texts are not shown: they may hold the whole address."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from urllib3 import exceptions

from cluster_forge.adapters.http import proxies, tls_failures
from cluster_forge.adapters.http.retrying import TemporaryError
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

LATER: Final = "try again later, or use a mirror that has it: --mirror DIR"
_TEMPORARY: Final = frozenset({408, 425, 429})
_LASTING: Final = frozenset({501, 505, 511})
"""Statuses of 500 and more that do not go away: not implemented, another version of HTTP, a login to the network."""
_STATUS_FIXES: Final = {
    403: "the server denies access: check the address, or use a mirror that has it: --mirror DIR",
    404: "check the address (the index.yaml of a chart repository is directly below its address), "
    "or use a mirror that has it: --mirror DIR",
    407: "set the proxy's user and password in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT",
    410: "it was withdrawn: use another version, or a mirror that has it: --mirror DIR",
}
_TUNNEL: Final = re.compile("Tunnel connection failed: ([0-9]{3})")
"""The beginning of a proxy's answer in the exceptions of Python's own client."""
_NO_PROXY: Final = "NO_PROXY lists hosts to reach without it"


def of_connection(url: str, error: Exception) -> FetchError:
    """The error for an exception of the HTTP library: a `TemporaryError` if it may go away."""
    message, fix = _of_proxy(url, error) or _of_server(url, error)
    text = f"{without_credentials(url)}: {message}"
    if not _is_temporary(error):
        return FetchError(text, fix=fix)
    inner = error.original_error if isinstance(error, exceptions.ProxyError) else error
    is_closed = isinstance(inner, exceptions.NewConnectionError | exceptions.ConnectTimeoutError)
    is_unlikely = is_closed and not isinstance(inner, exceptions.NameResolutionError)
    return TemporaryError(text, fix=fix, reason=message, is_unlikely=is_unlikely)


def of_status(url: str, status: int, wait: float = 0.0, credential: str = "") -> FetchError:
    """The error for a response that has no content to use: a `TemporaryError` if it may go away.

    ``wait``: the seconds that the server asks for; ``credential``: what was used, if any.
    """
    answer = f"{status} {http.client.responses.get(status, '')}".rstrip()
    login = f" to {credential}" if credential and status in (401, 403) else ""
    ends = f"; it takes requests again {_in(wait)}" if wait else ""
    fix = _STATUS_FIXES.get(status, LATER)
    if status == 401:
        host = urlsplit(url).netloc.rpartition("@")[2]
        fix = f"log in: cluster-forge login {host} (`cluster-forge auth status` shows what is used where)"
    if status == 407:
        where = f"the proxy {without_credentials(proxies.proxy_for(url))} wants a login"
        return FetchError(f"{without_credentials(url)}: {where}: {answer}", fix=fix)
    text = f"{without_credentials(url)} answered {answer}{login}{ends}"
    if is_temporary(status):
        return TemporaryError(text, fix=fix, reason=str(status), wait=wait)
    return FetchError(text, fix=fix)


def is_temporary(status: int) -> bool:
    """Whether a request with this status may succeed later."""
    return status in _TEMPORARY or (status >= 500 and status not in _LASTING)


def _is_temporary(error: Exception) -> bool:
    match error:
        case exceptions.ProxyError():
            tunnel = _TUNNEL.match(str(error.original_error))
            return is_temporary(int(tunnel[1])) if tunnel else _is_temporary(error.original_error)
        case exceptions.NameResolutionError():
            return getattr(_cause(error), "errno", None) == socket.EAI_AGAIN
        case exceptions.LocationValueError():
            return False
        case exceptions.SSLError():
            return isinstance(_cause(error), ssl.SSLEOFError | ssl.SSLZeroReturnError)
        case _:
            return True


def _in(seconds: float) -> str:
    """``in 40 s``, ``at 14:05 UTC``, ``at 2026-11-30 14:05 UTC``."""
    if seconds < 120:
        return f"in {round(seconds)} s"
    now = datetime.now(UTC)
    try:
        then = now + timedelta(seconds=seconds)
    except OverflowError:
        return "never"
    return f"at {then.strftime('%H:%M UTC' if then.date() == now.date() else '%Y-%m-%d %H:%M UTC')}"


def _of_proxy(url: str, error: Exception) -> tuple[str, str] | None:
    """Message and fix, if the proxy is the problem."""
    if not isinstance(error, exceptions.ProxyError):
        return None
    where = f"the proxy {without_credentials(proxies.proxy_for(url))}"
    inner = error.original_error
    tunnel = _TUNNEL.match(str(inner))
    if tunnel and tunnel[1] == "407":
        return f"{where} wants a login: {_reason(error)}", _STATUS_FIXES[407]
    if isinstance(inner, exceptions.NameResolutionError):
        return f"{where}: unknown host", f"check its host in {proxies.VARIABLES}; {_NO_PROXY}"
    if isinstance(inner, exceptions.NewConnectionError | exceptions.TimeoutError):
        return (
            f"{where} does not answer: {_reason(inner)}",
            f"check its host and port in {proxies.VARIABLES}; {_NO_PROXY}",
        )
    return (
        f"{where} refuses the request: {_reason(error)}",
        f"check that {proxies.VARIABLES} names a proxy; {_NO_PROXY}",
    )


def _of_server(url: str, error: Exception) -> tuple[str, str]:
    """Message and fix for a direct connection."""
    match error:
        case exceptions.LocationValueError():
            return "not an address", "correct the address"
        case exceptions.NameResolutionError():
            host = urlsplit(url).hostname
            return (
                f"the name {host} cannot be resolved now" if _is_temporary(error) else f"unknown host {host}",
                "check the address and the network; behind a proxy, set HTTPS_PROXY",
            )
        case exceptions.SSLError():
            return tls_failures.of(url, _cause(error), _reason(error))
        case exceptions.NewConnectionError():
            return (
                f"no connection: {_reason(error)}",
                "check host and port, or use a mirror that has it: --mirror DIR",
            )
        case exceptions.TimeoutError():
            return "the server did not answer in time", LATER
        case _:
            return f"the connection failed: {_reason(error)}", LATER


def _cause(error: BaseException) -> BaseException:
    """The innermost exception."""
    inner: BaseException | None = error
    while inner is not None:
        error = inner
        inner = inner.__cause__ or inner.__context__ or getattr(inner, "original_error", None)
    return error


def _reason(error: BaseException) -> str:
    """The text of the innermost exception that has one for people."""
    inner: BaseException | None = error
    while inner is not None:
        text = getattr(inner, "verify_message", None) or getattr(inner, "strerror", None)
        if text:
            return str(text)
        if isinstance(inner, OSError) and _TUNNEL.match(str(inner)):
            return str(inner).partition(": ")[2]
        inner = inner.__cause__ or inner.__context__ or getattr(inner, "original_error", None)
    return "it was interrupted"
