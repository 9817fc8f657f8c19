"""Origins of addresses: what credentials, certificates and limits belong to."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from cluster_forge.adapters.http.policy import HostSettings
from cluster_forge.foundation.addresses import is_loopback_host, without_credentials
from cluster_forge.foundation.errors import FetchError

PORTS: Final = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an HTTP address (RFC 6454).

    Raises:
        FetchError: if it is not one.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise FetchError(f"{without_credentials(url)} is not an address", fix="correct the address") from error
    if parts.scheme not in PORTS:
        raise FetchError(
            f"{without_credentials(url)} is not an address to download from",
            fix="write an https://, http:// or file:// address",
        )
    if not host:
        raise FetchError(f"{without_credentials(url)} is not an address", fix="correct the address")
    return parts.scheme, host, port or PORTS[parts.scheme]


def host_of(url: str) -> str:
    """``host:port`` of an HTTP address.

    Raises:
        FetchError: if it is not one.
    """
    _, host, port = origin(url)
    return f"{host}:{port}"


def is_loopback(url: str) -> bool:
    """Whether an HTTP address is on this machine by its host alone: nothing is resolved.

    Raises:
        FetchError: if it is not one.
    """
    return is_loopback_host(origin(url)[1])


def registry_scheme(host: str, settings: HostSettings) -> str:
    """The scheme of a registry's API: HTTPS, unless the user says otherwise. This machine is reached over plain HTTP, as by
    Docker, Helm and crane, unless the user says anything about it.
    """
    is_plain = settings.is_plain_http or (is_loopback_host(host) and settings == HostSettings())
    return "http" if is_plain else "https"
