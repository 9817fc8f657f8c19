"""Volume claims, Ingresses and autoscalers find in the cluster, or in the stack, what serves them.

A claim without a class where no StorageClass is the default one stays Pending for ever (Kubernetes, "Dynamic Volume
Provisioning"). The rules are those of the finding ``missing-provider``, on the classes that the cluster really has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cluster_forge.checks.providers import autoscaler_metrics, ingress_controllers, volume_classes
from cluster_forge.checks.providers.surroundings import INGRESS, STORAGE_CLASS, Surroundings, brings_default_class
from cluster_forge.foundation.names import ComponentName, listed
from cluster_forge.gitops import schedule
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.facts import CRD
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
_NAMED: Final = 5
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
    yield from _late(situation, there)
    surroundings = Surroundings((), [*situation.manifests, *there])
    lacking: dict[tuple[str, str], list[Manifest]] = {}
    for manifest in situation.manifests:
        if manifest.id.kind == CRD[1]:
            continue
        for check in (volume_classes, ingress_controllers, autoscaler_metrics):
            for capability in check.needs(manifest, surroundings):
                lacking.setdefault((capability, check.EFFECT), []).append(manifest)
    for (capability, effect), objects in sorted(lacking.items()):
        others = f" (also: {listed([str(other.id) for other in objects[1:]], _NAMED)})" if len(objects) > 1 else ""
        yield Problem(
            code=CODE,
            message=f"needs {capability}, which neither the stack nor the cluster has: {effect}{others}",
            where=str(objects[0].id),
            fix=_FIXES.get(capability, f"add a component that provides it: cluster-forge catalog search {capability}"),
            option=f"--allow {CODE}",
        )


def _late(situation: Situation, there: Sequence[Manifest]) -> Iterator[Problem]:
    """Claims without a class of components for which everything that brings the default class waits: it never comes."""
    if any(map(brings_default_class, there)):
        return
    components = {item.id: part.name for part in situation.plan.parts for item in part.objects}
    bringing = {components[one.id] for one in situation.manifests if one.id in components and brings_default_class(one)}
    if not bringing:
        return
    before = _before(situation.plan)
    for manifest in situation.manifests:
        name = components.get(manifest.id)
        if name and all(name in before[other] for other in bringing) and volume_classes.wants_default(manifest):
            others = ", ".join(sorted(bringing))
            yield Problem(
                code=CODE,
                message=f"its claim waits for the default StorageClass of {others}, which waits for {name}",
                where=str(manifest.id),
                fix=f"give {others} a lower wave than {name}, or make a StorageClass of the cluster the default one",
                option=f"--allow {CODE}",
            )


def _before(plan: DeployPlan) -> Mapping[ComponentName, frozenset[ComponentName]]:
    """For each component all that must be ready before it starts. Argo CD goes wave by wave."""
    if plan.argocd:
        return {
            part.name: frozenset(other.name for other in plan.parts if other.wave < part.wave) for part in plan.parts
        }
    return schedule.with_indirect(schedule.prerequisites(plan.parts, plan.fixed))
