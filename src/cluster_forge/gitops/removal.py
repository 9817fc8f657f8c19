"""In which order objects are deleted, and who else may own them: for pruning and removing.

Custom resources go first, while their operators run: these end the finalizers. Then what the API server asks for other
objects, which would be asked in vain once its Pods are gone: webhooks and aggregated APIs. CRDs follow the operators; what
holds other objects goes last. `deploy.sh` deletes in the same order (``scripts/prune.sh``).
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Final

from cluster_forge.foundation.untyped import mapping
from cluster_forge.gitops import applyset, engine, owners, ownership
from cluster_forge.gitops.parts import is_custom
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body

ASKED: Final = (
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiregistration.k8s.io", "APIService"),
)
"""What the API server asks other servers for."""
APPLIERS: Final = ((engine.GROUP, "Application"), (engine.FLUX_GROUP, "Kustomization"))
"""What applies objects for an engine, and marks them with its name."""
_NAMESPACE: Final = ("", "Namespace")
_KUSTOMIZATION: Final = f"{engine.FLUX_GROUP}/name"
_HELM: Final = "helm"


def phases(objects: Iterable[ObjectId], minor: int) -> tuple[tuple[ObjectId, ...], ...]:
    """The objects in their order: those of one phase are gone before the next begins. A kind that Kubernetes 1.``minor`` lacks
    is a custom one.
    """
    sorted_out: dict[int, list[ObjectId]] = {}
    for target in sorted(set(objects)):
        sorted_out.setdefault(_phase(target, minor), []).append(target)
    return tuple(tuple(sorted_out[phase]) for phase in sorted(sorted_out))


def _phase(target: ObjectId, minor: int) -> int:
    kind = (target.group, target.kind)
    if kind == CRD:
        return 3
    if kind == _NAMESPACE:
        return 5
    if target.holds_data:
        return 4
    if kind in ASKED:
        return 1
    return 0 if is_custom(kind, minor) else 2


def owner(stack: str, body: Body, *, strangers: Container[str] = ()) -> str:
    """Who has taken an object over that the stack claims, in words; empty if it is still the stack's.

    ``strangers`` are the `APPLIERS` in the cluster that are not of the stack, by their names.
    """
    metadata = body["metadata"]
    managers = {fields.get("manager") for fields in metadata.get("managedFields") or ()}
    if taken := taker(stack, body, strangers=strangers):
        return taken
    labels, annotations = mapping(metadata.get("labels")), mapping(metadata.get("annotations"))
    is_marked = applyset.PART_OF in labels or owners.TRACKING in annotations or _KUSTOMIZATION in labels
    return (
        "" if is_marked or FIELD_MANAGER in managers else "others: no field of it is managed by cluster-forge any more"
    )


def taker(stack: str, body: Body, *, strangers: Container[str] = ()) -> str:
    """Who says on an object to apply it, other than the stack, in words; else empty."""
    metadata = body["metadata"]
    labels, annotations = mapping(metadata.get("labels")), mapping(metadata.get("annotations"))
    managers = {fields.get("manager") for fields in metadata.get("managedFields") or ()}

    def is_own(name: str) -> bool:
        return name.startswith(f"{stack}.") and name not in strangers

    if (part_of := labels.get(applyset.PART_OF)) and part_of != applyset.identity(ownership.claim_id(stack)):
        return f"the ApplySet {part_of}"
    if tracked := annotations.get(owners.TRACKING):
        application = str(tracked).partition(":")[0]
        return "" if is_own(application.rpartition("_")[2]) else f"the Application {application}"
    if applied := labels.get(_KUSTOMIZATION):
        return "" if is_own(str(applied)) else f"the Kustomization {applied}"
    if (release := annotations.get(owners.HELM_RELEASE)) and _HELM in managers:
        return f"the Helm release {release}"
    return ""
