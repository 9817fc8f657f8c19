"""What all of a delivery knows about the parts of a stack: their order and label, and which kinds need a CRD first."""

from __future__ import annotations

from collections.abc import Iterable

from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.part import Part, PartObject

STACK_LABEL = "cluster-forge/stack"
"""On what the delivery itself adds to a cluster: the name of the stack."""
CLUSTER_LABEL = "cluster-forge/cluster"
"""On what a central Argo CD's cluster has of a stack for one of its clusters: the name of that cluster."""


def in_order(parts: Iterable[Part]) -> list[Part]:
    """The parts by wave, and by name within one."""
    return sorted(parts, key=lambda part: (part.wave, part.name))


def is_custom(kind: tuple[str, str], minor: int) -> bool:
    """Whether ``kind`` (group and kind) is not built into Kubernetes 1.``minor``: a CRD or an aggregated API defines it."""
    return kubernetes_apis.is_namespaced(*kind, minor) is None


def defined_groups(objects: Iterable[PartObject]) -> frozenset[str]:
    """The API groups that the CRDs among ``objects`` define: the name of a CRD is ``<plural>.<group>``."""
    return frozenset(crd.id.name.partition(".")[2] for crd in objects if crd.kind == CRD)
