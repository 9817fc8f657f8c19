"""What the cluster has as the deployment would leave it: nothing is to be learned from a dry run of it."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import application_state
from cluster_forge.gitops.flux import kustomization_state
from cluster_forge.gitops.plan import ArgoCdPlan, FluxPlan
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.deliver.argocd import operations as argocd_operations
from cluster_forge.stages.deliver.cluster_records import applied
from cluster_forge.stages.deliver.cluster_records.applied import AppliedObject
from cluster_forge.stages.deliver.preflight.situation import Situation, name_of


def objects(situation: Situation) -> frozenset[ObjectId]:
    """What was applied by this delivery at this very version, and is in the cluster as it was left then.

    Of an engine only what it applies itself is known: the tag in its objects is made of what it applies (`gitops.revision`).
    """
    plan = situation.plan
    if plan.flux:
        return frozenset(_of_flux(situation, plan.flux))
    if plan.argocd:
        return frozenset(_of_argocd(situation, plan.argocd))
    return frozenset(_of_record(situation))


def _of_record(situation: Situation) -> Iterator[ObjectId]:
    record = applied.read(situation.cluster, situation.plan.stack)
    known = {identity: item for component in record.values() for identity, item in component.objects.items()}
    live = {item.id: item.fingerprint for item in situation.owner_facts.live}
    for step in situation.documents:
        if known.get(step.id) == AppliedObject(document=step.digest, fingerprint=live.get(step.id, "")):
            yield step.id


def _of_argocd(situation: Situation, argocd: ArgoCdPlan) -> Iterator[ObjectId]:
    """A central Argo CD says it of objects of other clusters."""
    if not argocd.cluster:
        for body in argocd_operations.listed(argocd, situation.cluster):
            yield from application_state.synced(body, argocd.sync.revision)


def _of_flux(situation: Situation, flux: FluxPlan) -> Iterator[ObjectId]:
    """The objects of components whose Kustomizations are all ready, which say it of all that they apply."""
    bodies = situation.listed(engine.FLUX_GROUP, "Kustomization", namespace=flux.namespace)
    ready = {name_of(body) for body in bodies if kustomization_state.of(body, flux.revision).is_ready}
    lacking = {component for name, component in flux.kustomizations.items() if name not in ready}
    for part in situation.parts:
        if part.name not in lacking:
            yield from (item.id for item in part.objects)
