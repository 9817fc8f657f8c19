"""The component of a stack that brings the GitOps engine, Argo CD."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part

GROUP = "argoproj.io"
NAMESPACE = "argocd"
_APPLICATIONS = ObjectId(group=CRD[0], kind=CRD[1], namespace="", name=f"applications.{GROUP}")


def find(parts: Sequence[Part]) -> Part | None:
    """The part that holds Argo CD: the one with the CRD of its Applications."""
    return next((part for part in parts if any(item.id == _APPLICATIONS for item in part.objects)), None)


def namespace(parts: Sequence[Part]) -> str:
    """Where Argo CD runs and looks for Applications."""
    part = find(parts)
    return (part.namespace if part else "") or NAMESPACE
