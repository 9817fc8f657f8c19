"""What a failed connection means, in words for whoever waits for the file."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from cluster_forge.adapters.http import proxies
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

LATER: Final = "try again later, or name a mirror that has it: --mirror DIR"
_TUNNEL: Final = "Tunnel connection failed: "
"""How Python's own client tells what a proxy answered."""


def told(url: str, error: Exception) -> FetchError:
    """The error of the HTTP library as ours. Its own text is not shown: it may hold the whole address."""
    message, fix = _by_proxy(url, error) or _straight(url, error)
    return FetchError(f"{without_credentials(url)}: {message}", fix=fix)


def is_lasting(error: Exception) -> bool:
    """Whether there is no use in trying again at once."""
    from urllib3 import exceptions  # noqa: PLC0415 - only what fetches needs it

    lasting = (exceptions.LocationValueError, exceptions.NameResolutionError, exceptions.SSLError)
    return isinstance(error, lasting)


def _by_proxy(url: str, error: Exception) -> tuple[str, str] | None:
    """What is wrong, and how to mend it, where a proxy is to blame."""
    from urllib3 import exceptions  # noqa: PLC0415

    where = f"the proxy {without_credentials(proxies.named_for(url))}"
    match error:
        case exceptions.ProxySchemeUnknown():
            return f"{where} is of an unknown kind", f"name an http:// or https:// proxy in {proxies.VARIABLES}"
        case exceptions.ProxyError():
            inner = error.original_error
            if isinstance(inner, exceptions.NewConnectionError | exceptions.TimeoutError):
                return (
                    f"{where} does not answer: {_reason(inner)}",
                    f"see whether its host and port are right in {proxies.VARIABLES}; NO_PROXY names hosts to ask without it",
                )
            return (
                f"{where} does not let it through: {_reason(error)}",
                f"see whether {proxies.VARIABLES} names a proxy, and NO_PROXY what to ask without it",
            )
        case _:
            return None


def _straight(url: str, error: Exception) -> tuple[str, str]:
    """What is wrong, and how to mend it, where no proxy is between."""
    from urllib3 import exceptions  # noqa: PLC0415

    match error:
        case exceptions.LocationValueError():
            return "this is no address", "correct the address"
        case exceptions.NameResolutionError():
            return (
                f"no host {urlsplit(url).hostname} is known",
                "see whether the address is right and the network is there; behind a proxy, set HTTPS_PROXY",
            )
        case exceptions.SSLError():
            return _untrusted(error)
        case exceptions.NewConnectionError():
            return (
                f"no connection: {_reason(error)}",
                "see whether host and port are right, or name a mirror that has it: --mirror DIR",
            )
        case exceptions.TimeoutError():
            return "the server did not answer in time", LATER
        case _:
            return f"the connection failed: {_reason(error)}", LATER


def _untrusted(error: Exception) -> tuple[str, str]:
    cause = error.__cause__ or error.__context__
    # A server that answers without TLS: OpenSSL takes that for another version of it.
    if getattr(cause, "reason", None) in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        message = "the secure connection failed: what answers there does not speak TLS"
        return message, "see whether the port is right, or whether http:// is meant"
    message = f"the secure connection failed: {_reason(error)}"
    return message, "if the certificate is your organisation's, name its authority's file in SSL_CERT_FILE"


def _reason(error: Exception) -> str:
    """The words of the error that is at the bottom of this one."""
    inner: BaseException | None = error
    while inner is not None:
        said = getattr(inner, "verify_message", None) or getattr(inner, "strerror", None)
        if said:
            return str(said)
        if isinstance(inner, OSError) and str(inner).startswith(_TUNNEL):
            return str(inner).removeprefix(_TUNNEL)
        inner = inner.__cause__ or inner.__context__ or getattr(inner, "original_error", None)
    return "it broke off"
