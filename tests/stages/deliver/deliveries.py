"""Small stacks and a fake cluster to deploy them to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from tests.fake_clock import FakeClock
from tests.fake_cluster import FakeCluster
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import body, crd
from tests.stages.conftest import MemoryFiles, OneByOne, RecordingReporter

from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import bootstrap, planning
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, Stack
from cluster_forge.stages.deliver import deployment as deployments
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.direct import delivery as direct
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.results import ComponentResult
from cluster_forge.stages.deliver.tools import DeliverTools

WIDGETS = crd(
    "widgets.example.com",
    group="example.com",
    names={"kind": "Widget", "plural": "widgets"},
    scope="Namespaced",
    versions=[{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
)
WIDGET = body("example.com/v1", "Widget", "one", "shop", spec={"size": 1})
PASSING = (
    ClusterError("connection refused"),
    RefusedError("etcdserver: leader changed", status=500, reason="InternalError"),
    RefusedError("too many requests", status=429, reason="TooManyRequests"),
)
"""What an API server says for a moment only."""
VOLUME = body("v1", "PersistentVolumeClaim", "data", "shop", spec={"accessModes": ["ReadWriteOnce"]})


DIRECT = GitOps(engine=GitOpsEngine.NONE)


def deployment(parts: Sequence[Part], version: str = "v-1", narrowed: str = "", gitops: GitOps = DIRECT) -> Deployment:
    """The parts of the stack ``demo``, cast for direct delivery or another."""
    return cast(Stack(name="demo", gitops=gitops), parts, version, narrowed=narrowed)


def cast(stack: Stack, parts: Sequence[Part], version: str = "v-2", **plan: Any) -> Deployment:
    """The stack of these parts, read from the files that it was cast to; ``plan`` are fields of its plan."""
    planned = replace(planning.of(stack, parts, FileTree({"HEAD": b"x"}), "c" * 40, version), **plan)
    about = {"version": version, "image": {"digest": "sha256:" + "a" * 64}}
    files = join(bootstrap.tree(planned), FileTree({"stack.json": orjson.dumps(about)}))
    return deployments.of(files, ".".join(filter(None, ("stacks/demo", stack.environment))))


def needing(part: Part, *names: str, wave: int | None = None) -> Part:
    """The part, with needs, and the wave that follows from one level of them."""
    return replace(part, needs=tuple(map(ComponentName, names)), wave=wave if wave is not None else part.wave)


def identity(kind: str, name: str, namespace: str = "", group: str = "") -> ObjectId:
    return ObjectId(group=group, kind=kind, namespace=namespace, name=name)


def web(name: str = "web", namespace: str = "shop", replicas: int = 1) -> dict[str, Any]:
    pod = {"containers": [{"name": "app", "image": "example.com/app:1"}]}
    return body("apps/v1", "Deployment", name, namespace, spec={"replicas": replicas, "template": {"spec": pod}})


def settings(name: str = "settings", namespace: str = "shop", **data: str) -> dict[str, Any]:
    return body("v1", "ConfigMap", name, namespace, data=data or {"a": "1"})


@dataclass(slots=True)
class Delivery:
    """A cluster, and what a deployment to it needs."""

    cluster: FakeCluster = field(default_factory=lambda: FakeCluster(on_change=becomes_ready))
    clock: FakeClock = field(default_factory=FakeClock)
    reporter: RecordingReporter = field(default_factory=RecordingReporter)

    def __post_init__(self) -> None:
        self.cluster.wait = lambda seconds: self.clock.sleep(min(seconds, 1.0))
        self.cluster.put(body("v1", "Namespace", "cluster-forge"))

    @property
    def tools(self) -> DeliverTools:
        return DeliverTools(
            cluster=self.cluster,
            files=MemoryFiles(),
            reader=PurePythonYaml(),
            clock=self.clock,
            workers=OneByOne(),
            waiters=OneByOne(),
            reporter=self.reporter,
        )

    def direct(self, parts: Sequence[Part], **options: bool | float) -> dict[str, ComponentResult]:
        """Deploy the parts; the results by name. Earlier requests are forgotten."""
        self.cluster.requests.clear()
        results = direct.deliver(deployment(parts), self.tools, DeployOptions(**options))  # type: ignore[arg-type]
        return {result.name: result for result in results}

    def there(self, kind: str, name: str, namespace: str = "", group: str = "") -> Body:
        """An object that is in the cluster."""
        found = self.cluster.get(identity(kind, name, namespace, group))
        assert found is not None, f"there is no {kind}/{name}"
        return found

    def applied(self) -> list[str]:
        """What was applied, in its order: ``Deployment/web``."""
        return [
            f"{request.target.kind}/{request.target.name}"
            for request in self.cluster.requests
            if request.verb == "apply" and not request.is_trial
        ]


def still_waiting(reporter: RecordingReporter) -> set[str]:
    """The items that the progress would still show as waiting: what they wait for was said, and not that it has come."""
    waiting: set[str] = set()
    for event in reporter.events:
        if event[0] == "waits":
            waiting.add(event[2])
        elif event[0] == "advanced":
            waiting.discard(event[2])
    return waiting
