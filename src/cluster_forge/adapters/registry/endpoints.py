"""The addresses of a registry's API, and the scopes that their tokens need (OCI distribution spec, "Endpoints")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urljoin, urlsplit, urlunsplit

from cluster_forge.adapters.http.origins import registry_scheme
from cluster_forge.adapters.http.policy import HostSettings
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError
from cluster_forge.oci.reference import DOCKER_HUB, DOCKER_HUB_API, ImageReference

_LINK: Final = re.compile(r"<([^>]*)>([^,]*)")
_NEXT: Final = re.compile(r""";\s*rel\s*=\s*"?next"?\s*(?:;|$)""", re.IGNORECASE)
PULL: Final = "pull"
PUSH: Final = "pull,push"
"""What a token for a push must allow: asked for at once, since many services give one token for each request."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The API of one repository. ``settings`` gives what the user says about a host, by an ``http://`` address.

    ``login`` is one that the address of the registry came with: ``user:password@``.
    """

    repository: ImageReference
    settings: Callable[[str], HostSettings]
    login: str = ""

    @property
    def base(self) -> str:
        """``https://host/v2/team/app``."""
        host = DOCKER_HUB_API if self.repository.registry == DOCKER_HUB else self.repository.registry
        scheme = registry_scheme(host, self.settings(f"http://{host}"))
        return f"{scheme}://{self.login}{host}/v2/{self.repository.repository}"

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

        Raises:
            FetchError: if it is not an address.
        """
        for target, parameters in _LINK.findall(link):
            if _NEXT.search(parameters):
                try:
                    address = urlsplit(urljoin(f"{self.base}/", target))
                except ValueError as error:
                    raise _no_address(self.base, "Link") from error
                return urljoin(self.base, f"{address.path}?{address.query}")
        return ""

    def scope(self, actions: str, origins: Iterable[ImageReference] = ()) -> str:
        """The scope of a token for the repository, and for reading others (distribution, "Token Scope")."""
        others = {origin.repository for origin in origins if origin.registry == self.repository.registry}
        others -= {self.repository.repository}
        scopes = [f"repository:{self.repository.repository}:{actions}"]
        return " ".join([*scopes, *(f"repository:{other}:{PULL}" for other in sorted(others))])


def with_digest(location: str, digest: Digest) -> str:
    """The address that closes an upload: the session's own one, whose query may hold its state, and the digest."""
    parts = urlsplit(location)
    kept = f"{parts.query}&" if parts.query else ""
    return urlunsplit((parts.scheme, parts.netloc, parts.path, f"{kept}digest={digest}", ""))


def next_request(url: str, location: str) -> str:
    """The address in the ``Location`` of a response from ``url``: relative, on the registry, or on another host.

    Behind a proxy, registries name themselves with ``http://``: the scheme of the request stays then.

    Raises:
        FetchError: if it is not an address, or leaves HTTPS for another host.
    """
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, location))
        hosts = here.hostname, there.hostname
    except ValueError as error:
        raise _no_address(url, "Location") from error
    if (here.scheme, there.scheme) == ("https", "http"):
        if hosts[0] != hosts[1]:
            raise FetchError(
                f"{without_credentials(url)} continues at {without_credentials(there.geturl())}, without TLS",
                fix="the registry must name an https:// address",
            )
        there = there._replace(scheme="https")
    return there.geturl()


def _no_address(url: str, header: str) -> FetchError:
    return FetchError(
        f"{without_credentials(url)} answered with a {header} that is not an address", fix="check the address"
    )
