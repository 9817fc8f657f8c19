"""A stack that is in a cluster already, for the stages that look at it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.fake_cluster import FakeCluster

from cluster_forge.gitops import ownership
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import ApplyOptions

STACK = "demo"


def deployed(cluster: FakeCluster, parts: Sequence[Part], manager: str = FIELD_MANAGER) -> None:
    """Apply the parts of `STACK`, and claim them."""
    options = ApplyOptions(manager=manager)
    bodies = [item.body for part in parts for item in part.objects]
    names = {body["metadata"].get("namespace") for body in bodies} | {"cluster-forge"}
    for name in sorted(filter(None, names)):
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, options)
    for body in bodies:
        cluster.apply(body, options)
    lines = (ownership.line(item.id, "-") for part in parts for item in part.objects)
    labels = {ownership.CLAIM_LABEL: "objects", STACK_LABEL: STACK}
    metadata = {"name": f"claim-{STACK}", "namespace": "cluster-forge", "labels": labels}
    claim = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {ownership.OBJECTS: "".join(lines)}}
    cluster.apply(claim, options)
