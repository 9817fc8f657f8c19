"""How a Git server's certificate is verified, and which one is shown to it: Git's settings ``http.<url>.ssl…`` (git-config(1))."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from cluster_forge.adapters.http.policy import HostSettings

_NONE: Final = HostSettings()


def of(repository: str, hosts: Mapping[str, HostSettings], ca_file: str) -> tuple[str, ...]:
    """The settings for a repository by HTTPS; ``hosts`` are by ``host`` or ``host:port``, ``ca_file`` is for all others.

    Authorities replace those of the system, since that is what Git's setting does.
    """
    parts = urlsplit(repository)
    if parts.scheme != "https":
        return ()
    place = parts.netloc.rpartition("@")[2].lower()
    host = hosts.get(place) or hosts.get(parts.hostname or "") or _NONE
    values = {
        "sslCAInfo": host.ca_file or ca_file,
        "sslCert": host.cert_file,
        "sslKey": host.key_file,
        "sslVerify": "false" if host.is_insecure else "",
    }
    return tuple(f"http.https://{place}.{key}={value}" for key, value in values.items() if value)
