"""Volume claims, Ingresses and autoscalers find in the cluster, or in the stack, what serves them.

A claim without a class where no StorageClass is the default one stays Pending for ever (Kubernetes, "Dynamic Volume
Provisioning"). The rules are those of the finding ``missing-provider``, on the classes that the cluster really has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.checks.providers import autoscaler_metrics, ingress_controllers, volume_classes
from cluster_forge.checks.providers.surroundings import INGRESS, STORAGE_CLASS, Surroundings
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "the StorageClasses, IngressClasses and aggregated APIs"
IS_NEEDED: Final = False
CODES: Final[Mapping[str, str]] = {
    "missing-provider": "A claim without a StorageClass, an Ingress without a controller, an autoscaler without metrics.",
}
CODE: Final = "missing-provider"
_KINDS: Final = (
    ("storage.k8s.io", "StorageClass"),
    ("networking.k8s.io", "IngressClass"),
    ("apiregistration.k8s.io", "APIService"),
)
_FIXES: Final = {
    STORAGE_CLASS: "make a StorageClass the default one, or name one that exists: kubectl get storageclass",
    INGRESS: "add an ingress controller to the stack, or install one",
}


def problems(situation: Situation) -> Iterator[Problem]:
    there = [
        Manifest.of(body, Provenance(component=ComponentName("cluster"), origin=""))
        for group, kind in _KINDS
        for body in situation.listed(group, kind)
    ]
    surroundings = Surroundings((), [*situation.manifests, *there])
    for manifest in situation.manifests:
        if manifest.id.kind == "CustomResourceDefinition":
            continue
        for check in (volume_classes, ingress_controllers, autoscaler_metrics):
            for capability in check.needs(manifest, surroundings):
                yield Problem(
                    code=CODE,
                    message=f"needs {capability}, which neither the stack nor the cluster has: {check.EFFECT}",
                    where=str(manifest.id),
                    fix=_FIXES.get(
                        capability, f"add a component that provides it: cluster-forge catalog search {capability}"
                    ),
                    option=f"--allow {CODE}",
                )
