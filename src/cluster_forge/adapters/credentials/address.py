"""What credentials are looked up by: the host of an address, its path, and a login that stands in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from cluster_forge.oci.reference import DOCKER_HUB, DOCKER_HUB_HOSTS

HUB_KEY: Final = "https://index.docker.io/v1/"
"""What Docker calls its own registry in files and for credential helpers."""

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_SCHEME: Final = re.compile(r"(https?|oci)://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """``host`` has the port if it is not the scheme's own: ``ghcr.io``, ``registry.local:5000``. ``path`` has no slash at
    its ends, and not the ``v2`` of a registry's interface. ``user`` and ``password`` stand in the address; mostly they are empty.
    """

    scheme: str
    host: str
    path: str = ""
    user: str = ""
    password: str = ""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read an address; ``host/path`` is one with ``https://``.

        Raises:
            ValueError: if it is not one.
        """
        parts = urlsplit(url if "://" in url else f"https://{url}")
        scheme = "https" if parts.scheme == "oci" else parts.scheme
        path = parts.path.strip("/")
        return cls(
            scheme=scheme,
            host=_host(parts, scheme),
            path=path.removeprefix("v2/") if path != "v2" else "",
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    def is_below(self, path: str) -> bool:
        """Whether the path is ``path`` or begins with its segments."""
        return not path or self.path == path or self.path.startswith(f"{path}/")


def key(text: str) -> tuple[str, str]:
    """Host and path of a key in a file with logins: ``host``, ``https://host/v1/`` (Docker), ``host/namespace`` (Podman).

    Docker compares only the host where a key has a scheme (``ConvertToHostname`` of its credentials package), but its own
    registry has further keys, ``…/v1/access-token``, whose secrets are not passwords.

    Raises:
        ValueError: if it is not a host.
    """
    address = Address.parse(text)
    is_for_host = address.path in ("v1", "v2") or (_SCHEME.match(text) and address.host != DOCKER_HUB)
    return address.host, "" if is_for_host else address.path


def _host(parts: SplitResult, scheme: str) -> str:
    name = (parts.hostname or "").removesuffix(".")
    if not name:
        raise ValueError("it has no host")
    if name in DOCKER_HUB_HOSTS:
        return DOCKER_HUB
    port = parts.port if parts.port != _DEFAULT_PORTS.get(scheme) else None
    return (f"[{name}]" if ":" in name else name) + (f":{port}" if port else "")
