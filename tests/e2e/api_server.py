"""What the tests ask of an API server: what it serves, and to take objects as a server-side apply brings them.

Discovery in one answer is KEP-3352; dry runs, strict field validation and server-side apply are told in
https://kubernetes.io/docs/reference/using-api/api-concepts/.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import orjson
import urllib3

from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.manifest import Body, Manifest

DISCOVERY = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}
STRICTLY = {"dryRun": "All", "fieldValidation": "Strict"}
THREADS = 8
SERVED_WITHIN_SECONDS = 30

ApiKind = tuple[str, str]
"""``apiVersion`` and ``kind``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Where the objects of a kind are: below ``apis/apps/v1``, ``deployments``."""

    root: str
    plural: str
    is_namespaced: bool

    def path(self, namespace: str, name: str) -> str:
        folder = f"/namespaces/{quote(namespace, safe='')}" if self.is_namespaced else ""
        return f"/{self.root}{folder}/{self.plural}/{quote(name, safe='')}"


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """An object that the server does not take, whose it is, and what the server says."""

    component: str
    object: str
    message: str

    @classmethod
    def of(cls, manifest: Manifest, message: str) -> Refusal:
        return cls(str(manifest.provenance.component), str(manifest.id), message)

    def __str__(self) -> str:
        return f"{self.component}: {self.object}: {self.message}"


class ApiServer:
    """An API server that nobody else changes."""

    def __init__(self, http: urllib3.HTTPSConnectionPool) -> None:
        self._http = http

    def refusals(self, manifests: Iterable[Manifest]) -> list[Refusal]:
        """What it refuses of a stack. Namespaces and CRDs stay, as the ground of the others; those leave nothing."""
        every = list(manifests)
        self._make([each for each in every if each.id.kind in ("Namespace", CRD_KIND)])
        served = self._served()

        def tried(manifest: Manifest) -> Refusal | None:
            resource = served.get(_kind(manifest.body))
            if resource is None:
                return Refusal.of(manifest, f"{manifest.body['apiVersion']} has no such kind")
            message = self._apply(manifest.body, resource, STRICTLY)
            return Refusal.of(manifest, message) if message else None

        with ThreadPoolExecutor(THREADS) as threads:
            return sorted(refusal for refusal in threads.map(tried, every) if refusal)

    def _make(self, manifests: Iterable[Manifest]) -> None:
        """Make what the server takes of Namespaces and CRDs. What it does not take, the dry run tells."""
        served = self._served()
        awaited: set[ApiKind] = set()
        for manifest in manifests:
            body = {**manifest.body}
            if body["kind"] == CRD_KIND:
                # Nobody is behind a conversion webhook here: without one, versions are taken for each other as they are.
                body["spec"] = {key: value for key, value in body["spec"].items() if key != "conversion"}
            message = self._apply(body, served[_kind(body)], {})
            if not message and manifest.facts.defines:
                defined = manifest.facts.defines
                awaited |= {(f"{defined.group}/{version}", defined.kind) for version in defined.versions}
        deadline = time.monotonic() + SERVED_WITHIN_SECONDS
        while awaited - self._served().keys() and time.monotonic() < deadline:
            time.sleep(0.1)

    def _apply(self, body: Body, resource: Resource, options: Mapping[str, str]) -> str:
        """Apply an object; what the server has against it, or nothing."""
        path = resource.path(body["metadata"].get("namespace", ""), body["metadata"]["name"])
        query = urlencode({"fieldManager": "cluster-forge", "force": "true", **options})
        content = orjson.dumps(body)
        answer = self._http.request("PATCH", f"{path}?{query}", body=content, headers=APPLY, retries=False)
        return str(orjson.loads(answer.data)["message"]) if answer.status >= 400 else ""

    def _served(self) -> dict[ApiKind, Resource]:
        return dict(each for root in ("api", "apis") for each in self._discovered(root))

    def _discovered(self, root: str) -> Iterator[tuple[ApiKind, Resource]]:
        answer = self._http.request("GET", f"/{root}", headers=DISCOVERY, retries=False)
        for group in orjson.loads(answer.data)["items"]:
            for version in group["versions"]:
                name = "/".join(filter(None, (group["metadata"].get("name"), version["version"])))
                for each in version.get("resources", ()):
                    yield (
                        (name, each["responseKind"]["kind"]),
                        Resource(
                            root=f"{root}/{name}", plural=each["resource"], is_namespaced=each["scope"] == "Namespaced"
                        ),
                    )


def _kind(body: Body) -> ApiKind:
    return body["apiVersion"], body["kind"]
