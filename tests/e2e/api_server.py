"""What the tests ask of an API server: what it serves, and to take objects as a server-side apply brings them.

Discovery in one answer is KEP-3352; dry runs, strict field validation and server-side apply are told in
https://kubernetes.io/docs/reference/using-api/api-concepts/.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import orjson
import urllib3

from cluster_forge.manifests.manifest import Body, Manifest

DISCOVERY = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}
THREADS = 8
ENFORCED, POD_SECURITY = "pod-security.kubernetes.io/enforce", "would violate PodSecurity"
CHANGES_WITHIN_SECONDS = 120

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
        self._made: dict[str, Manifest] = {}

    def refusals(self, manifests: Iterable[Manifest]) -> list[Refusal]:
        """What it refuses of a stack. Namespaces, and CRDs of which the stack has objects, stay until `clear`.

        The other CRDs are only tried: the server works on each that is made for a second or more.
        """
        every = list(manifests)
        used = {(each.id.group, each.id.kind) for each in every}
        ground: list[Manifest] = []
        others: list[Manifest] = []
        for each in every:
            (ground if each.id.kind == "Namespace" or _defines(each) in used else others).append(each)
        with ThreadPoolExecutor(THREADS) as threads:
            served = self._served()
            found = list(threads.map(lambda each: self._make(each, served.get(_kind(each.body))), ground))
            kinds = _kinds(self._made.values())
            self._wait(lambda: kinds <= self._served().keys(), f"not served: {kinds}")
            served = self._served()
            found += threads.map(lambda each: self._try(each, served.get(_kind(each.body))), others)
        return sorted(filter(None, found))

    def clear(self) -> None:
        """Take away what was made, so that it does not hide what the next stack lacks; no controller runs to do it."""
        paths, self._made = self._made, {}
        for path, manifest in paths.items():
            self._http.request("DELETE", path)
            if manifest.id.kind == "Namespace":
                body = orjson.dumps({**manifest.body, "spec": {"finalizers": []}})
                self._http.request("PUT", f"{path}/finalize", body=body, headers={"Content-Type": "application/json"})
        kinds = _kinds(paths.values())
        self._wait(lambda: not kinds & self._served().keys(), f"still served: {kinds}")
        self._wait(
            lambda: all(self._http.request("GET", path).status == 404 for path in paths), f"still there: {paths}"
        )

    def _try(self, manifest: Manifest, resource: Resource | None) -> Refusal | None:
        """Try an object without keeping it."""
        if resource is None:
            return Refusal.of(manifest, f"the server knows no such kind in {manifest.body['apiVersion']}")
        message = self._apply(manifest.body, resource, dryRun="All")
        return Refusal.of(manifest, message) if message else None

    def _make(self, manifest: Manifest, resource: Resource | None) -> Refusal | None:
        """Try a Namespace or a CRD, and make it."""
        refusal = self._try(manifest, resource)
        if refusal is None and resource is not None:
            path = resource.path("", manifest.id.name)
            is_new = self._http.request("GET", path).status == 404
            message = self._apply(_for_trials(manifest.body), resource)
            refusal = Refusal.of(manifest, message) if message else None
            if is_new and not refusal:
                self._made[path] = manifest
        return refusal

    def _apply(self, body: Body, resource: Resource, **options: str) -> str:
        """Apply an object, its fields held strictly to the kind's; what the server has against it, or nothing."""
        path = resource.path(body["metadata"].get("namespace", ""), body["metadata"]["name"])
        query = urlencode({"fieldManager": "cluster-forge", "force": "true", "fieldValidation": "Strict", **options})
        content = orjson.dumps(body)
        answer = self._http.request("PATCH", f"{path}?{query}", body=content, headers=APPLY, retries=False)
        if answer.status >= 400:
            return str(orjson.loads(answer.data)["message"])
        return "\n".join(each for each in answer.headers.getlist("Warning") if POD_SECURITY in each)

    def _wait(self, is_done: Callable[[], bool], else_: str) -> None:
        deadline = time.monotonic() + CHANGES_WITHIN_SECONDS
        while not is_done():
            if time.monotonic() > deadline:
                raise TimeoutError(else_)
            time.sleep(0.05)

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


def _for_trials(body: Body) -> Body:
    """A Namespace or a CRD with which other objects can be tried though no controller runs.

    Nobody is behind a conversion webhook; without one, versions of a kind are taken for each other. Only pods are held to
    the Pod Security of a Namespace, and there are none; of what would make them, the server can warn.
    """
    metadata, spec = body["metadata"], body.get("spec") or {}
    labels = metadata.get("labels") or {}
    warning = {key.replace("/enforce", "/warn"): value for key, value in labels.items() if key.startswith(ENFORCED)}
    return {
        **body,
        "metadata": {**metadata, "labels": {**labels, **warning}},
        "spec": {key: value for key, value in spec.items() if key != "conversion"},
    }


def _kind(body: Body) -> ApiKind:
    return body["apiVersion"], body["kind"]


def _kinds(manifests: Iterable[Manifest]) -> set[ApiKind]:
    """What the CRDs among ``manifests`` have served."""
    defined = [each.facts.defines for each in manifests if each.facts.defines]
    return {(f"{each.group}/{version}", each.kind) for each in defined for version in each.versions}


def _defines(manifest: Manifest) -> tuple[str, str] | None:
    """Group and kind that a CRD defines."""
    defined = manifest.facts.defines
    return (defined.group, defined.kind) if defined else None
