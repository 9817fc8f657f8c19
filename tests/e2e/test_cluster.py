"""The test cluster does what the tests rely on, and nothing of one test is left for the next."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.e2e import nodes
from tests.e2e.cluster import Cluster
from tests.e2e.nodes import Fate
from tests.e2e.polling import until

from cluster_forge.manifests.manifest import Body

pytestmark = pytest.mark.e2e
SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "registry.invalid/db:1", volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: "registry.invalid/db:1"}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec: {type: LoadBalancer, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: shop}
spec: {defaultBackend: {service: {name: front, port: {number: 80}}}}
"""
LEFTOVERS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.test}
spec:
  group: shop.test
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: held, namespace: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: stuck, namespace: default, finalizers: [shop.test/stuck]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: nobody-answers}
webhooks:
- name: nobody.answers.test
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {service: {name: gone, namespace: default}}
  rules: [{apiGroups: ["*"], apiVersions: ["*"], operations: [DELETE], resources: ["*"]}]
"""
LEASES = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"
WIDGET = """
apiVersion: shop.test/v1
kind: Widget
metadata: {name: w, namespace: default, finalizers: [shop.test/operator]}
"""


def test_pods_run_jobs_complete_and_volumes_are_bound(cluster: Cluster) -> None:
    cluster.kubectl("apply", "-f", "-", given=SHOP)
    cluster.kubectl("-n", "shop", "rollout", "status", "statefulset/db", "--timeout=120s")
    cluster.kubectl("-n", "shop", "wait", "--for=condition=Complete", "job/migrate", "--timeout=120s")
    volumes = json.loads(cluster.kubectl("-n", "shop", "get", "pvc", "-o", "json"))["items"]
    assert [volume["status"]["phase"] for volume in volumes] == ["Bound"]
    service = cluster.get("/api/v1/namespaces/shop/services/front")
    assert service["status"]["loadBalancer"]["ingress"]
    ingress = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/front"
    until(lambda: cluster.get(ingress)["status"]["loadBalancer"].get("ingress"), "the Ingress has an address")


@pytest.mark.parametrize(
    ("fate", "is_so"),
    [
        (Fate.SLOW, lambda pod: not pod["status"].get("startTime")),
        (Fate.PENDING, lambda pod: pod["spec"].get("nodeName") and pod["status"]["phase"] == "Pending"),
        (Fate.UNREADY, lambda pod: pod["status"]["phase"] == "Running" and not ready(pod)),
        (Fate.NO_IMAGE, lambda pod: waiting(pod) == "ImagePullBackOff"),
        (Fate.CRASHING, lambda pod: waiting(pod) == "CrashLoopBackOff"),
        (Fate.FAILED, lambda pod: pod["status"]["phase"] == "Failed"),
    ],
)
def test_a_pod_has_its_fate(own_cluster: Cluster, fate: Fate, is_so: Callable[[Body], object]) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "default", "annotations": {nodes.FATE: fate}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "web", "image": "registry.invalid/web:1"}]},
    }
    path = "/api/v1/namespaces/default/pods/web"
    own_cluster.apply(path, pod)
    until(lambda: is_so(own_cluster.get(path)), f"the Pod is {fate}")


def test_logs_are_those_that_the_test_wrote(own_cluster: Cluster) -> None:
    own_cluster.log.write_text(nodes.log_line("no route to the database") + nodes.log_line("giving up"))
    own_cluster.kubectl("run", "web", "--image=registry.invalid/web:1")
    own_cluster.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=120s")
    assert own_cluster.kubectl("logs", "web", "--tail=1") == "giving up\n"


def test_the_api_server_keeps_what_it_has_over_a_restart(own_cluster: Cluster) -> None:
    own_cluster.kubectl("create", "configmap", "kept")
    with own_cluster.without_api_server():
        pass
    until(lambda: own_cluster.get("/api/v1/namespaces/default/configmaps/kept"), "the ConfigMap is there")


@pytest.mark.parametrize("test", ["one", "the next"])
def test_what_a_test_leaves_is_removed(cluster: Cluster, test: str) -> None:
    assert cluster.contents() == cluster.ground
    cluster.kubectl("apply", "-f", "-", given=SHOP)
    assert not cluster.get(LEASES)["items"], "they come and go by themselves, but not with their namespace"
    cluster.kubectl("apply", "-f", "-", given=LEFTOVERS)
    cluster.kubectl("wait", "--for=condition=Established", "crd/widgets.shop.test", "--timeout=120s")
    cluster.kubectl("apply", "-f", "-", given=WIDGET)
    assert len(cluster.contents()) > len(cluster.ground)


def ready(pod: Body) -> bool:
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in pod["status"].get("conditions", ())
    )


def waiting(pod: Body) -> str:
    """Why its first container waits."""
    for container in pod["status"].get("containerStatuses", ()):
        return str(container["state"].get("waiting", {}).get("reason", ""))
    return ""
