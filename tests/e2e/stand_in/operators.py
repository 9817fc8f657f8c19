"""The status that operators write once they have worked, for kinds whose health Argo CD, Flux or `deploy` wait for.

A kind that is not here is silent: its custom resources stay as they were applied. Sources: the API references of the operators,
and Argo CD's health checks (``resource_customizations/``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from tests.e2e.cluster import Cluster

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
Status = Mapping[str, Any]
Body = Mapping[str, Any]


def conditions(*kinds: str) -> Callable[[Body], Status]:
    """A status with these conditions, all true, for the generation of an object."""

    def status(body: Body) -> Status:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        generation = body["metadata"]["generation"]
        facts = {"status": "True", "reason": "StandIn", "message": "", "observedGeneration": generation}
        return {"conditions": [{"type": kind, **facts, "lastTransitionTime": now} for kind in kinds]}

    return status


def _replicated(body: Body) -> Status:
    numbers = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 1)
    return {"paused": False, "unavailableReplicas": 0, **numbers, **conditions("Available", "Reconciled")(body)}


def _tenant(_: Body) -> Status:
    state = {"currentState": "Initialized", "healthStatus": "green", "syncVersion": "v6.0.0", "revision": 0}
    return {**state, "availableReplicas": 1, "certificates": {}, "pools": []}


def _route(body: Body) -> Status:
    """What a gateway's controller says for each gateway that the route names."""
    said = {"controllerName": "example.com/stand-in", **conditions("Accepted", "ResolvedRefs")(body)}
    return {"parents": [{"parentRef": parent, **said} for parent in body["spec"].get("parentRefs", ())]}


def fields(**values: Any) -> Callable[[Body], Status]:
    """A status with these fields, whatever the object."""
    return lambda _body: values


OPERATED: Mapping[str, Callable[[Body], Status]] = {
    "cert-manager.io/v1/issuers": conditions("Ready"),
    "cert-manager.io/v1/clusterissuers": conditions("Ready"),
    "cert-manager.io/v1/certificates": conditions("Ready"),
    "monitoring.coreos.com/v1/prometheuses": _replicated,
    "monitoring.coreos.com/v1/alertmanagers": _replicated,
    "minio.min.io/v2/tenants": _tenant,
    "external-secrets.io/v1/clustersecretstores": conditions("Ready"),
    "external-secrets.io/v1/externalsecrets": conditions("Ready"),
    "gateway.networking.k8s.io/v1/gatewayclasses": conditions("Accepted"),
    "gateway.networking.k8s.io/v1/gateways": conditions("Accepted", "Programmed"),
    "gateway.networking.k8s.io/v1/grpcroutes": _route,
    "gateway.networking.k8s.io/v1/httproutes": _route,
    "kueue.x-k8s.io/v1beta2/clusterqueues": conditions("Active"),
    "kueue.x-k8s.io/v1beta2/localqueues": conditions("Active"),
    "nvidia.com/v1/clusterpolicies": fields(state="ready", namespace="gpu-operator"),
    "policies.kyverno.io/v1beta1/validatingpolicies": fields(conditionStatus={"ready": True, "conditions": []}),
    "postgresql.cnpg.io/v1/clusters": conditions("Ready"),
    "velero.io/v1/backupstoragelocations": fields(phase="Available"),
}
"""By group, version and plural."""
WHOLE = {"velero.io/v1/backupstoragelocations"}
"""Kinds without the subresource: their controllers write whole objects."""


class Operators:
    """Writes the status of custom resources that have none, or one of an older generation."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def work(self) -> None:
        groups = self._cluster.get("/apis")["groups"]
        served = {version["groupVersion"] for group in groups for version in group["versions"]}
        for kind, status in OPERATED.items():
            if kind.rpartition("/")[0] not in served:
                continue
            listed = self._cluster.get(f"/apis/{kind}")
            for body in (listed or {"items": ()})["items"]:
                meta = body["metadata"]
                if not _is_current(body):
                    group, _, plural = kind.rpartition("/")
                    place = f"namespaces/{meta['namespace']}/" if "namespace" in meta else ""
                    rest = "" if kind in WHOLE else "/status"
                    self._cluster.http.request(
                        "PATCH",
                        f"/apis/{group}/{place}{plural}/{meta['name']}{rest}?fieldManager=stand-in",
                        body=orjson.dumps({"status": status(body)}),
                        headers=MERGE_PATCH,
                    )

    def stop(self) -> None:
        """Nothing runs."""


def _is_current(body: Mapping[str, Any]) -> bool:
    """Whether a controller has answered this generation. A CRD may have a default for the status: conditions that are Unknown,
    as those of the Gateway API.
    """
    status = body.get("status") or {}
    return bool(status) and all(
        condition.get("status") != "Unknown"
        and condition.get("observedGeneration") in (None, body["metadata"]["generation"])
        for condition in _conditions(status)
    )


def _conditions(status: Status) -> Iterator[Mapping[str, Any]]:
    """Those of the object, and of a route for each of its gateways."""
    for holder in (status, *status.get("parents", ())):
        yield from holder.get("conditions", ())
