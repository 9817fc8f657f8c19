"""What the tests ask of an API server: what it serves, and to take objects as a server-side apply brings them.

Discovery in one answer is KEP-3352; dry runs, strict field validation and server-side apply are told in
https://kubernetes.io/docs/reference/using-api/api-concepts/.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import orjson
import urllib3

from cluster_forge.manifests.manifest import Body, Manifest

DISCOVERY = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}
THREADS = 8
SERVED_WITHIN_SECONDS = 120

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
        """What it refuses of a stack. Namespaces, and CRDs of which the stack has objects, stay; others leave nothing."""
        every = list(manifests)
        kinds = {(each.id.group, each.id.kind) for each in every}
        ground = [each for each in every if each.id.kind == "Namespace" or _defines(each) in kinds]
        others = [each for each in every if each.id not in {made.id for made in ground}]
        with ThreadPoolExecutor(THREADS) as threads:
            served = self._served()
            found = list(threads.map(lambda each: self._make(each, served[_kind(each.body)]), ground))
            served = self._served_with(each for each, refusal in zip(ground, found, strict=True) if not refusal)
            found += threads.map(lambda each: self._try(each, served.get(_kind(each.body))), others)
        return sorted(filter(None, found))

    def _try(self, manifest: Manifest, resource: Resource | None) -> Refusal | None:
        """Try an object without keeping it."""
        if resource is None:
            return Refusal.of(manifest, f"the server knows no such kind in {manifest.body['apiVersion']}")
        message = self._apply(manifest.body, resource, dryRun="All")
        return Refusal.of(manifest, message) if message else None

    def _make(self, manifest: Manifest, resource: Resource) -> Refusal | None:
        """Really make a Namespace or a CRD, as it is but for a conversion webhook, which is tried only.

        Nobody is behind such a webhook here; without one, versions of a kind are taken for each other.
        """
        body = manifest.body
        if "conversion" in body.get("spec", ()):
            refusal = self._try(manifest, resource)
            if refusal:
                return refusal
            body = {**body, "spec": {key: value for key, value in body["spec"].items() if key != "conversion"}}
        message = self._apply(body, resource)
        return Refusal.of(manifest, message) if message else None

    def _served_with(self, made: Iterable[Manifest]) -> dict[ApiKind, Resource]:
        """What is served when the kinds of new CRDs are among it; time passes between the two."""
        defined = [each.facts.defines for each in made if each.facts.defines]
        awaited = {(f"{each.group}/{version}", each.kind) for each in defined for version in each.versions}
        deadline = time.monotonic() + SERVED_WITHIN_SECONDS
        while awaited - (served := self._served()).keys():
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"CRDs were taken, but their kinds are not served: {sorted(awaited - served.keys())}"
                )
            time.sleep(0.1)
        return served

    def _apply(self, body: Body, resource: Resource, **options: str) -> str:
        """Apply an object, its fields held strictly to the kind's; what the server has against it, or nothing."""
        path = resource.path(body["metadata"].get("namespace", ""), body["metadata"]["name"])
        query = urlencode({"fieldManager": "cluster-forge", "force": "true", "fieldValidation": "Strict", **options})
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


def _defines(manifest: Manifest) -> tuple[str, str] | None:
    """Group and kind that a CRD defines."""
    defined = manifest.facts.defines
    return (defined.group, defined.kind) if defined else None
