"""What an API server serves, from one answer (KEP-3352)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import orjson
import urllib3

DISCOVERY = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}

ApiKind = tuple[str, str]
"""``apiVersion`` and ``kind``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Where the objects of a kind are: below ``apis/apps/v1``, ``deployments``."""

    root: str
    plural: str
    is_namespaced: bool
    verbs: frozenset[str] = frozenset()

    def path(self, namespace: str, name: str) -> str:
        folder = f"/namespaces/{quote(namespace, safe='')}" if self.is_namespaced else ""
        return f"/{self.root}{folder}/{self.plural}/{quote(name, safe='')}"

    @property
    def all(self) -> str:
        """The path of all objects."""
        return f"/{self.root}/{self.plural}"


def served(http: urllib3.HTTPConnectionPool) -> dict[ApiKind, Resource]:
    """Every kind, the versions that the server prefers first."""
    return dict(kind for root in ("api", "apis") for kind in _discovered(http, root))


def _discovered(http: urllib3.HTTPConnectionPool, root: str) -> Iterator[tuple[ApiKind, Resource]]:
    answer = http.request("GET", f"/{root}", headers=DISCOVERY, retries=False)
    for group in orjson.loads(answer.data)["items"]:
        for version in group["versions"]:
            name = "/".join(filter(None, (group["metadata"].get("name"), version["version"])))
            for resource in version.get("resources", ()):
                yield (
                    (name, resource["responseKind"]["kind"]),
                    Resource(
                        root=f"{root}/{name}",
                        plural=resource["resource"],
                        is_namespaced=resource["scope"] == "Namespaced",
                        verbs=frozenset(resource["verbs"]),
                    ),
                )
