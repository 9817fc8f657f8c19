"""What the stages that look at a cluster get in tests, and a stack that is deployed there."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

from tests.fake_cluster import FakeCluster
from tests.stages.conftest import MemoryFiles, OneByOne, RecordingReporter

from cluster_forge.adapters.clock import SystemClock
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.gitops import ownership
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import ApplyOptions
from cluster_forge.stages.deliver.tools import DeliverTools

STACK = "demo"


class _Folders(MemoryFiles):
    """`FolderReader` in memory."""

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(self.read(path) or b"")


def tools(cluster: FakeCluster) -> DeliverTools:
    return DeliverTools(
        cluster=cluster,
        files=_Folders(),
        reader=PurePythonYaml(),
        clock=SystemClock(),
        workers=OneByOne(),
        waiters=OneByOne(),
        reporter=RecordingReporter(),
    )


def deployed(cluster: FakeCluster, parts: Sequence[Part], manager: str = FIELD_MANAGER) -> None:
    """Apply the parts of `STACK`, and claim them."""
    options = ApplyOptions(manager=manager)
    bodies = [item.body for part in parts for item in part.objects]
    names = {body["metadata"].get("namespace") for body in bodies} | {"cluster-forge"}
    for name in sorted(filter(None, names)):
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, options)
    for body in bodies:
        cluster.apply(body, options)
    lines = (
        f"{_kind(item.id)} {item.id.namespace or '-'} {item.id.name} -\n" for part in parts for item in part.objects
    )
    labels = {ownership.CLAIM_LABEL: "objects", STACK_LABEL: STACK}
    metadata = {"name": f"claim-{STACK}", "namespace": "cluster-forge", "labels": labels}
    claim = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {ownership.OBJECTS: "".join(lines)}}
    cluster.apply(claim, options)


def _kind(identity: ObjectId) -> str:
    return f"{identity.kind}.{identity.group}" if identity.group else identity.kind
