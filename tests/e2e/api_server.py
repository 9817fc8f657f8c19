"""What the tests ask of an API server: what it serves, and to take objects as a server-side apply brings them.

Dry runs, strict field validation and server-side apply are described in
https://kubernetes.io/docs/reference/using-api/api-concepts/.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson
import urllib3
from tests.e2e import discovery
from tests.e2e.discovery import ApiKind, Resource

from cluster_forge.manifests.manifest import Body, Manifest

APPLY = {"Content-Type": "application/apply-patch+yaml"}
THREADS = 8
ENFORCED, POD_SECURITY = "pod-security.kubernetes.io/enforce", "would violate PodSecurity"
CHANGES_WITHIN_SECONDS = 120


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
    """An API server that only one test changes at a time."""

    def __init__(self, http: urllib3.HTTPSConnectionPool) -> None:
        self._http = http
        self._created: dict[str, Manifest] = {}

    def refusals(self, manifests: Iterable[Manifest]) -> list[Refusal]:
        """What it refuses of a stack. Its namespaces stay until `clear`, and the CRDs of which it has objects until another
        stack has other ones by their names: no stack sees the kinds of a CRD that it does not have.

        The other CRDs are only tried: the server works on each that is created for a second or more.
        """
        every = list(manifests)
        self._remove({path: old for path, old in self._created.items() if _is_replaced(old, every)})
        used = {(manifest.id.group, manifest.id.kind) for manifest in every}
        ground: list[Manifest] = []
        others: list[Manifest] = []
        for manifest in every:
            is_ground = manifest.id.kind == "Namespace" or _defines(manifest) in used
            (ground if is_ground else others).append(manifest)
        with ThreadPoolExecutor(THREADS) as threads:
            served = self._served()
            refusals = list(
                threads.map(lambda manifest: self._create(manifest, served.get(_kind(manifest.body))), ground)
            )
            kinds = _kinds(self._created.values())
            self._wait(lambda: kinds <= self._served().keys(), f"not served: {kinds}")
            hidden = kinds - _kinds(every)
            served = {kind: resource for kind, resource in self._served().items() if kind not in hidden}
            refusals += threads.map(lambda manifest: self._try(manifest, served.get(_kind(manifest.body))), others)
        return sorted(filter(None, refusals))

    def clear(self) -> None:
        """Delete the namespaces that were created, so that they do not hide what the next stack lacks."""
        self._remove({path: one for path, one in self._created.items() if one.id.kind == "Namespace"})

    def _remove(self, created: Mapping[str, Manifest]) -> None:
        """Delete some of what was created, and wait until it is gone; no controller runs to do it."""
        for path, manifest in created.items():
            del self._created[path]
            self._http.request("DELETE", path)
            if manifest.id.kind == "Namespace":
                body = orjson.dumps({**manifest.body, "spec": {"finalizers": []}})
                self._http.request("PUT", f"{path}/finalize", body=body, headers={"Content-Type": "application/json"})
        kinds = _kinds(created.values())
        self._wait(lambda: not kinds & self._served().keys(), f"still served: {kinds}")
        self._wait(
            lambda: all(self._http.request("GET", path).status == 404 for path in created), f"not deleted: {created}"
        )

    def _try(self, manifest: Manifest, resource: Resource | None) -> Refusal | None:
        """Try an object without keeping it."""
        if resource is None:
            return Refusal.of(manifest, f"the server has no such kind in {manifest.body['apiVersion']}")
        message = self._apply(manifest.body, resource, dryRun="All")
        return Refusal.of(manifest, message) if message else None

    def _create(self, manifest: Manifest, resource: Resource | None) -> Refusal | None:
        """Try a Namespace or a CRD, and create it, unless a stack before this one had the very same CRD."""
        if resource and resource.path("", manifest.id.name) in self._created:
            return None
        refusal = self._try(manifest, resource)
        if refusal is None and resource is not None:
            path = resource.path("", manifest.id.name)
            is_new = self._http.request("GET", path).status == 404
            message = self._apply(_for_trials(manifest.body), resource)
            refusal = Refusal.of(manifest, message) if message else None
            if is_new and not refusal:
                self._created[path] = manifest
        return refusal

    def _apply(self, body: Body, resource: Resource, **options: str) -> str:
        """Apply an object, its fields held strictly to the kind's; what the server has against it, or nothing."""
        path = resource.path(body["metadata"].get("namespace", ""), body["metadata"]["name"])
        query = urlencode({"fieldManager": "cluster-forge", "force": "true", "fieldValidation": "Strict", **options})
        content = orjson.dumps(body)
        answer = self._http.request("PATCH", f"{path}?{query}", body=content, headers=APPLY, retries=False)
        if answer.status >= 400:
            return str(orjson.loads(answer.data)["message"])
        return "\n".join(warning for warning in answer.headers.getlist("Warning") if POD_SECURITY in warning)

    def _wait(self, is_done: Callable[[], bool], else_: str) -> None:
        deadline = time.monotonic() + CHANGES_WITHIN_SECONDS
        while not is_done():
            if time.monotonic() > deadline:
                raise TimeoutError(else_)
            time.sleep(0.05)

    def _served(self) -> dict[ApiKind, Resource]:
        return discovery.served(self._http)


def _is_replaced(created: Manifest, manifests: Iterable[Manifest]) -> bool:
    """Whether there is another object by its name among ``manifests``."""
    return any(one.id == created.id and one.body != created.body for one in manifests)


def _for_trials(body: Body) -> Body:
    """A Namespace or a CRD with which other objects can be tried though no controller runs.

    No conversion webhook answers; without one, the versions of a kind are taken for each other. Only pods are held to
    the Pod Security of a Namespace, and there are none; for the objects that create pods the server only warns.
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
    definitions = [manifest.facts.defines for manifest in manifests if manifest.facts.defines]
    return {(f"{crd.group}/{version}", crd.kind) for crd in definitions for version in crd.versions}


def _defines(manifest: Manifest) -> tuple[str, str] | None:
    """Group and kind that a CRD defines."""
    defined = manifest.facts.defines
    return (defined.group, defined.kind) if defined else None
