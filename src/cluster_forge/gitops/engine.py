"""The component of a stack that brings a GitOps engine, Argo CD or Flux."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOpsEngine

GROUP = "argoproj.io"
NAMESPACE = "argocd"
FLUX_GROUP = "kustomize.toolkit.fluxcd.io"
FIELD_MANAGERS: Final = MappingProxyType(
    {GitOpsEngine.ARGOCD: "argocd-controller", GitOpsEngine.FLUX: "kustomize-controller"}
)
"""As which an engine applies objects (Argo CD, "Sync Options: Server-Side Apply"; Flux, "Kustomization")."""
_DEFINITIONS: Final = MappingProxyType(
    {
        engine: ObjectId(group=CRD[0], kind=CRD[1], namespace="", name=name)
        for engine, name in (
            (GitOpsEngine.ARGOCD, f"applications.{GROUP}"),
            (GitOpsEngine.FLUX, f"kustomizations.{FLUX_GROUP}"),
        )
    }
)
"""The CRD by which each engine's component is known: that of what delivers a component."""


def application_id(name: str, namespace: str) -> ObjectId:
    """An Application."""
    return ObjectId(group=GROUP, kind="Application", namespace=namespace, name=name)


def kustomization_id(name: str, namespace: str) -> ObjectId:
    """A Kustomization of Flux."""
    return ObjectId(group=FLUX_GROUP, kind="Kustomization", namespace=namespace, name=name)


def find(parts: Sequence[Part], engine: GitOpsEngine = GitOpsEngine.ARGOCD) -> Part | None:
    """The part that holds the engine: the one with its CRD."""
    definition = _DEFINITIONS.get(engine)
    return next((part for part in parts if any(item.id == definition for item in part.objects)), None)


def namespace(parts: Sequence[Part]) -> str:
    """Where Argo CD runs and looks for Applications."""
    part = find(parts)
    return (part.namespace if part else "") or NAMESPACE
