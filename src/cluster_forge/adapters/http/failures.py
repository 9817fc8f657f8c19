"""Failed requests as errors for the user. The HTTP library's own texts are not shown: they may hold the whole address."""

from __future__ import annotations

import http.client
from typing import Final
from urllib.parse import urlsplit

from urllib3 import exceptions

from cluster_forge.adapters.http import proxies
from cluster_forge.adapters.http.retrying import TemporaryError
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

LATER: Final = "try again later, or use a mirror that has it: --mirror DIR"
_TEMPORARY: Final = frozenset({408, 425, 429})
_LASTING: Final = frozenset({501, 505, 511})
"""Statuses of 500 and more that do not go away: not implemented, another version of HTTP, a login to the network."""
_STATUS_FIXES: Final = {
    401: "the server requires a login, which is not supported: put the file into a mirror, --mirror DIR",
    403: "the server denies access: check the address, or use a mirror that has it: --mirror DIR",
    404: "check the address (the index.yaml of a chart repository is directly below its address), "
    "or use a mirror that has it: --mirror DIR",
    407: "set the proxy's user and password in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT",
    410: "it was withdrawn: use another version, or a mirror that has it: --mirror DIR",
}
_LASTING_ERRORS: Final = (exceptions.LocationValueError, exceptions.NameResolutionError, exceptions.SSLError)
_TUNNEL: Final = "Tunnel connection failed: "
"""The prefix of a proxy's answer in the exceptions of Python's own client."""
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
"""OpenSSL's reasons for a server that answers without TLS, which it takes for an unknown version of it."""


def of_connection(url: str, error: exceptions.HTTPError | OSError | ValueError) -> FetchError:
    """The error for an exception of the HTTP library: a `TemporaryError` if it may go away."""
    message, fix = _of_proxy(url, error) or _of_server(url, error)
    text = f"{without_credentials(url)}: {message}"
    if isinstance(error, _LASTING_ERRORS):
        return FetchError(text, fix=fix)
    return TemporaryError(text, fix=fix, reason=message.partition(":")[0])


def of_status(url: str, status: int, wait: float = 0.0, credential: str = "") -> FetchError:
    """The error for a response that has no content to use: a `TemporaryError` if it may go away.

    ``wait``: the seconds that the server asks for; ``credential``: what was used, if any.
    """
    answer = f"{status} {http.client.responses.get(status, '')}".rstrip()
    login = f" to {credential}" if credential and status in (401, 403) else ""
    text, fix = f"{without_credentials(url)} answered {answer}{login}", _STATUS_FIXES.get(status, LATER)
    if status in _TEMPORARY or (status >= 500 and status not in _LASTING):
        return TemporaryError(text, fix=fix, reason=str(status), wait=wait)
    return FetchError(text, fix=fix)


def _of_proxy(url: str, error: Exception) -> tuple[str, str] | None:
    """Message and fix, if the proxy is the problem."""
    where = f"the proxy {without_credentials(proxies.proxy_for(url))}"
    match error:
        case exceptions.ProxySchemeUnknown():
            return f"{where} has an unknown scheme", f"set {proxies.VARIABLES} to an http:// or https:// proxy"
        case exceptions.ProxyError():
            inner = error.original_error
            if isinstance(inner, exceptions.NewConnectionError | exceptions.TimeoutError):
                return (
                    f"{where} does not answer: {_reason(inner)}",
                    f"check its host and port in {proxies.VARIABLES}; NO_PROXY lists hosts to reach without it",
                )
            return (
                f"{where} refuses the request: {_reason(error)}",
                f"check that {proxies.VARIABLES} names a proxy; NO_PROXY lists hosts to reach without it",
            )
        case _:
            return None


def _of_server(url: str, error: Exception) -> tuple[str, str]:
    """Message and fix for a direct connection."""
    match error:
        case exceptions.LocationValueError():
            return "not an address", "correct the address"
        case exceptions.NameResolutionError():
            return (
                f"unknown host {urlsplit(url).hostname}",
                "check the address and the network; behind a proxy, set HTTPS_PROXY",
            )
        case exceptions.SSLError():
            return _of_tls(error)
        case exceptions.NewConnectionError():
            return (
                f"no connection: {_reason(error)}",
                "check host and port, or use a mirror that has it: --mirror DIR",
            )
        case exceptions.TimeoutError():
            return "the server did not answer in time", LATER
        case _:
            return f"the connection failed: {_reason(error)}", LATER


def _of_tls(error: exceptions.SSLError) -> tuple[str, str]:
    cause = error.__cause__ or error.__context__
    if getattr(cause, "reason", None) in _NOT_TLS:
        return "TLS failed: the server does not speak TLS", "check the port, or write http:// if that is meant"
    return (
        f"TLS failed: {_reason(error)}",
        "for a certificate of your organization, set SSL_CERT_FILE to the file of its certificate authority",
    )


def _reason(error: Exception) -> str:
    """The text of the innermost exception."""
    inner: BaseException | None = error
    while inner is not None:
        text = getattr(inner, "verify_message", None) or getattr(inner, "strerror", None)
        if text:
            return str(text)
        if isinstance(inner, OSError) and str(inner).startswith(_TUNNEL):
            return str(inner).removeprefix(_TUNNEL)
        inner = inner.__cause__ or inner.__context__ or getattr(inner, "original_error", None)
    return "it was interrupted"
