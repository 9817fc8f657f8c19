"""Small stacks for the tests on a cluster: a Namespace's worth of ordinary objects, forged by the program itself."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from tests.e2e.cluster import Cluster
from tests.e2e.contents import Contents, Key
from tests.e2e.nodes import FATE, Fate
from tests.e2e.polling import until

from cluster_forge.gitops import ownership
from cluster_forge.stages.deliver.cluster_records.claiming import RUN

NAME = "shop"
ENDED_SECONDS = 60
SLOW = ("--render-seconds", "300")
"""A chart is rendered beside a whole control plane, on few cores."""
VOLATILE = {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "ownerReferences"}
"""Of an object's metadata: what differs between two objects of the same content."""
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {e2e.cluster-forge/fate: IS_FATED}}
    spec: {containers: [{name: web, image: "registry.example.com/web:VERSION"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
DATABASE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: "registry.example.com/db:1.0.0", volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}
"""
WIDGETS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example.com}
spec:
  group: shop.example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
"""
WIDGET = """\
apiVersion: shop.example.com/v1
kind: Widget
metadata: {name: big}
spec: {size: 3}
"""


Forged = Callable[..., "Shop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A workspace with the stack ``shop``: CRDs, a database that needs none of them, a web service that needs both."""

    workspace: Path
    cluster: Cluster
    mirror: Path | None = None
    """A mirror with the charts of the catalog's components that the stack requires."""

    @property
    def stack(self) -> Path:
        return self.workspace / "stacks" / NAME

    def forge(
        self,
        *,
        engine: str = "none",
        version: str = "1.0.0",
        fate: str = "ready",
        more: Mapping[str, str] = MappingProxyType({}),
        image: Mapping[str, str] = MappingProxyType({}),
        registries: Mapping[str, object] = MappingProxyType({}),
        **gitops: object,
    ) -> None:
        """Write the description, for that version of the web service, and forge it; ``more`` are the manifests of other
        components by their names, which are those of their namespaces, too. A base of the ``image`` is fetched.
        """
        files = {
            "widgets.yaml": WIDGETS,
            "db.yaml": DATABASE,
            "web.yaml": WEB.replace("VERSION", version).replace("IS_FATED", fate) + "---\n" + WIDGET,
            **{f"{name}.yaml": manifests for name, manifests in more.items()},
        }
        needs = {"web": ["widgets", "db"]}
        description = {
            "apiVersion": "cluster-forge/v1",
            "kind": "Stack",
            "name": NAME,
            "target": {"kubernetes": "1.35", "size": "small"},
            "gitops": {"engine": engine, **gitops},
            "image": dict(image),
            "registries": dict(registries),
            "components": [
                {
                    "name": name,
                    "namespace": name if name in more else NAME,
                    "manifests": [f"{name}.yaml"],
                    **({"needs": needs[name]} if name in needs else {}),
                }
                for name in ("widgets", "db", "web", *more)
            ],
        }
        folder = self.workspace / "input"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(yaml.safe_dump(description, sort_keys=False))
        for name, content in files.items():
            (folder / name).write_text(content)
        done = self.program(
            "forge", *(() if image else ("--offline",)), *(("--mirror", str(self.mirror), *SLOW) if self.mirror else ())
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the program in the workspace, with the cluster's kubeconfig."""
        return program(self.workspace, self.cluster, *arguments)

    def succeeds(self, *arguments: str) -> str:
        """Run the program, which has to succeed; what it prints on stdout."""
        done = self.program(*arguments)
        assert done.returncode == 0, f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def fails(self, *arguments: str) -> str:
        """Run the program, which has to fail with an error of its own; all that it prints, on one line."""
        done = self.program(*arguments)
        assert done.returncode not in (0, 1), f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return " ".join((done.stdout + done.stderr).split())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The same, without waiting for its end; what it prints is its output."""
        return _started(_command(self.workspace, arguments), self.cluster)

    def start_script(self) -> subprocess.Popen[str]:
        """Run ``deploy.sh``, without waiting for its end."""
        return _started(["sh", str(self.stack / "deploy.sh"), "--yes"], self.cluster)

    def deploy_script(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``deploy.sh`` without a question."""
        return run(["sh", str(self.stack / "deploy.sh"), "--yes", *arguments], self.cluster)


def everything_is_ready(cluster: Cluster, version: str = "1.0.0") -> bool:
    """Whether the stack's objects are in the cluster in that version, and its Pods ready."""
    web = cluster.get(f"/apis/apps/v1/namespaces/{NAME}/deployments/web")
    database = cluster.get(f"/apis/apps/v1/namespaces/{NAME}/statefulsets/db")
    widget = cluster.get(f"/apis/shop.example.com/v1/namespaces/{NAME}/widgets/big")
    if not (web and database and widget):
        return False
    image = web["spec"]["template"]["spec"]["containers"][0]["image"]
    counts = web["status"].get("updatedReplicas"), web["status"].get("readyReplicas")
    return image.endswith(f":{version}") and counts == (2, 2) and database["status"].get("readyReplicas") == 1


def start_pods(cluster: Cluster) -> None:
    """Let the Pods of the web service get ready that are held in the cluster (`Fate.PENDING`)."""
    cluster.kubectl("annotate", "pod", "--overwrite", "-n", NAME, "-l", "app=web", f"{FATE}={Fate.READY}")


def assert_contents(cluster: Cluster, expected: frozenset[Key]) -> None:
    """That the cluster has these objects and no others, once its controllers have ended (of a volume, say)."""
    with contextlib.suppress(TimeoutError):
        until(lambda: cluster.contents() == expected, "nothing is left", seconds=ENDED_SECONDS)
    found = cluster.contents()
    assert not found - expected, f"left over: {sorted(map(str, found - expected))}"
    assert not expected - found, f"gone: {sorted(map(str, expected - found))}"


def state(cluster: Cluster) -> dict[Key, Any]:
    """The content of what the stack has in the cluster, by its objects; without Pods and what else the cluster made itself."""
    bodies = Contents(cluster.http).bodies()
    return {
        key: _content(key, body)
        for key, body in bodies.items()
        if key not in cluster.ground and _is_declared(key, body)
    }


def _content(key: Key, body: Any) -> Any:
    """What of an object is the same in two clusters, and after each deployment."""
    metadata = {name: value for name, value in body["metadata"].items() if name not in VOLATILE}
    annotations = {name: value for name, value in metadata.get("annotations", {}).items() if name != RUN}
    content = {name: value for name, value in body.items() if name not in ("metadata", "status")}
    if key.kind == "Service":
        content["spec"] = {name: value for name, value in body["spec"].items() if not name.startswith("clusterIP")}
    return {**content, "metadata": {**metadata, "annotations": annotations}}


def _is_declared(key: Key, body: Any) -> bool:
    """Whether it is of the stack, or its claim; each client makes the claim, and its Namespace, in its own way."""
    if key.namespace == "cluster-forge" or key.name == "cluster-forge":
        return key.name == ownership.claim_name(NAME)
    return any(fields["manager"].startswith("cluster-forge") for fields in body["metadata"].get("managedFields", ()))


def program(workspace: Path, cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a workspace, with the cluster's kubeconfig."""
    return run(_command(workspace, arguments), cluster)


def _command(workspace: Path, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "cluster_forge", "-C", str(workspace), *arguments]


def run(command: Sequence[str], cluster: Cluster) -> subprocess.CompletedProcess[str]:
    """Run a command as on a machine whose kubeconfig is the cluster's."""
    return subprocess.run(command, env=_environment(cluster), capture_output=True, text=True, check=False)


def _started(command: Sequence[str], cluster: Cluster) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, env=_environment(cluster), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _environment(cluster: Cluster) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
