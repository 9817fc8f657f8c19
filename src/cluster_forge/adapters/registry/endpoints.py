"""The addresses of a registry's API, and the scopes that their tokens need (OCI distribution spec, "Endpoints")."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urljoin, urlsplit, urlunsplit

from cluster_forge.foundation.digest import Digest
from cluster_forge.oci.reference import DOCKER_HUB, ImageReference

_DOCKER_HUB_API: Final = "registry-1.docker.io"
_LINK: Final = re.compile(r"<([^>]*)>([^,]*)")
_NEXT: Final = re.compile(r""";\s*rel\s*=\s*"?next"?\s*(?:;|$)""", re.IGNORECASE)
PULL: Final = "pull"
PUSH: Final = "pull,push"
"""What a token for a push must allow: asked for at once, since many services give one token for each request."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The API of one repository. ``is_plain_http`` decides about its registry's origin, given as an ``http://`` address."""

    repository: ImageReference
    is_plain_http: Callable[[str], bool]

    @property
    def base(self) -> str:
        """``https://host/v2/team/app``; over plain HTTP on this machine, as Docker, Helm and crane do."""
        host = _DOCKER_HUB_API if self.repository.registry == DOCKER_HUB else self.repository.registry
        is_plain = is_loopback(host) or self.is_plain_http(f"http://{host}")
        return f"{'http' if is_plain else 'https'}://{host}/v2/{self.repository.repository}"

    def manifest(self, reference: str) -> str:
        """The manifest under a tag or a digest."""
        return f"{self.base}/manifests/{quote(reference, safe=':')}"

    def blob(self, digest: Digest) -> str:
        return f"{self.base}/blobs/{digest}"

    def uploads(self, **query: str) -> str:
        """Where an upload begins; ``mount`` and ``from`` ask for a blob of another repository."""
        return f"{self.base}/blobs/uploads/" + (f"?{urlencode(query, safe=':/')}" if query else "")

    def tags(self, *, number: int, last: str = "") -> str:
        """A page of ``number`` tags, those after ``last``."""
        return f"{self.base}/tags/list?{urlencode({'n': number, **({'last': last} if last else {})})}"

    def referrers(self, subject: ImageReference, artifact_type: str) -> str:
        query = f"?{urlencode({'artifactType': artifact_type}, safe='/')}" if artifact_type else ""
        return f"{self.base}/referrers/{subject.digest}{query}"

    def next_page(self, link: str) -> str:
        """The address in a ``Link`` header with ``rel="next"`` (RFC 8288), on this registry; empty if there is none.

        Only path and query count: behind a proxy, registries name hosts and schemes that are not theirs.
        """
        for target, parameters in _LINK.findall(link):
            if _NEXT.search(parameters):
                address = urlsplit(urljoin(f"{self.base}/", target))
                return urljoin(self.base, f"{address.path}?{address.query}")
        return ""

    def scope(self, actions: str, origins: Iterable[ImageReference] = ()) -> str:
        """The scope of a token for the repository, and for reading others (distribution, "Token Scope")."""
        others = {origin.repository for origin in origins if origin.registry == self.repository.registry}
        others -= {self.repository.repository}
        scopes = [f"repository:{self.repository.repository}:{actions}"]
        return " ".join([*scopes, *(f"repository:{other}:{PULL}" for other in sorted(others))])


def is_loopback(host: str) -> bool:
    """Whether ``host`` or ``host:port`` is this machine itself."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def with_digest(location: str, digest: Digest) -> str:
    """The address that closes an upload: the session's own one, whose query may hold its state, and the digest."""
    parts = urlsplit(location)
    kept = f"{parts.query}&" if parts.query else ""
    return urlunsplit((parts.scheme, parts.netloc, parts.path, f"{kept}digest={digest}", ""))
