"""Which way a stack is delivered, decided once: from the description and from what the stack holds."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from cluster_forge.gitops.argocd import component
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOpsEngine, RepositorySource, Stack


class Delivery(StrEnum):
    """What `deploy.sh` does."""

    DIRECT = "direct"
    """kubectl applies everything, wave by wave."""
    INSTALL = "install"
    """kubectl installs Argo CD, which does the rest."""
    EXISTING = "existing"
    """Argo CD is there already: it gets the repository and the root Application."""


def address(stack: Stack) -> str:
    """The address of an external repository; for an OCI image ``image.repository`` unless ``gitops.url`` says more."""
    if stack.gitops.source is RepositorySource.OCI:
        return stack.gitops.url or stack.image.repository
    return stack.gitops.url


def delivery(stack: Stack, parts: Sequence[Part]) -> Delivery:
    """How the stack gets into the cluster."""
    if stack.gitops.engine is not GitOpsEngine.ARGOCD:
        return Delivery.DIRECT
    if not stack.gitops.install:
        return Delivery.EXISTING
    return Delivery.INSTALL if component.find(parts) else Delivery.DIRECT
