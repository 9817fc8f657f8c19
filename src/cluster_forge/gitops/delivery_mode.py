"""How a stack is delivered: decided once, from the description and from what the stack holds."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cluster_forge.gitops import engine
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOpsEngine, RepositorySource, Stack


class Delivery(StrEnum):
    """What `deploy.sh` does."""

    DIRECT = "direct"
    """kubectl applies everything, wave by wave."""
    INSTALL = "install"
    """kubectl installs the GitOps engine, which applies the rest."""
    EXISTING = "existing"
    """The engine in the cluster gets the repository and the root, an Application of Argo CD or a Kustomization of Flux."""


TITLES: Final = MappingProxyType({GitOpsEngine.ARGOCD: "Argo CD", GitOpsEngine.FLUX: "Flux"})
"""The engines as they call themselves."""


def address(stack: Stack) -> str:
    """The address of an external repository; of an OCI image ``gitops.url``, or else ``image.repository``."""
    if stack.gitops.source is RepositorySource.OCI:
        return stack.gitops.url or stack.image.repository
    return stack.gitops.url


def delivery(stack: Stack, parts: Sequence[Part]) -> Delivery:
    """How the stack gets into the cluster."""
    if stack.gitops.engine is GitOpsEngine.NONE:
        return Delivery.DIRECT
    if not stack.gitops.install:
        return Delivery.EXISTING
    return Delivery.INSTALL if engine.find(parts, stack.gitops.engine) else Delivery.DIRECT
