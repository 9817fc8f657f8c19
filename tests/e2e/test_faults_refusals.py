"""A cluster that does not do what a stack wants: the cause is named, what is there stays, and the next run succeeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e.cluster import Cluster
from tests.e2e.nodes import Fate
from tests.e2e.polling import until
from tests.e2e.stacks import NAME, Forged, assert_contents, everything_is_ready
from tests.e2e.stand_in.webhooks import Webhooks

pytestmark = pytest.mark.e2e
DEPLOY = ("deploy", "--yes", "-q", "--timeout", "8")
BROKEN = {
    Fate.PENDING: "",
    Fate.UNREADY: "Readiness probe failed",
    Fate.NO_IMAGE: "registry.example.com answers 401",
    Fate.CRASHING: "CrashLoopBackOff",
}
"""What is said of a Pod."""
RBAC = "rbac.authorization.k8s.io"
GROUPS = (RBAC, "apiextensions.k8s.io", "coordination.k8s.io", "shop.example.com", "authorization.k8s.io")
WEBHOOK = """
apiVersion: v1
kind: Service
metadata: {name: policy, namespace: default}
spec: {ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: policy}
webhooks:
- name: policy.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  timeoutSeconds: 5
  clientConfig: {service: {name: policy, namespace: default, path: /policy}}
  rules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
"""
QUOTA = """
apiVersion: v1
kind: ResourceQuota
metadata: {name: small, namespace: shop}
spec: {hard: {pods: "3"}}
"""


def web(cluster: Cluster) -> Any:
    return cluster.get(f"/apis/apps/v1/namespaces/{NAME}/deployments/web")


@pytest.mark.parametrize("fate", BROKEN)
def test_a_pod_that_does_not_get_ready(forged: Forged, own_cluster: Cluster, fate: Fate) -> None:
    """Its cause is said; the components beside it are there; the mended stack is deployed over it."""
    said = forged(version="1.1.0", fate=fate).fails(*DEPLOY)
    assert "Deployment.apps/shop/web" in said
    assert BROKEN[fate] in said
    database = f"/apis/apps/v1/namespaces/{NAME}/statefulsets/db"
    until(lambda: own_cluster.get(database)["status"].get("readyReplicas") == 1, "the database is ready")
    forged().succeeds("deploy", "--yes", "-q")
    assert everything_is_ready(own_cluster)


def test_a_webhook_that_refuses(forged: Forged, own_cluster: Cluster, stand_in: Webhooks) -> None:
    own_cluster.kubectl("apply", "-f", "-", given=WEBHOOK)
    stand_in.refusals["/policy"] = "no Deployments on Fridays"
    until(lambda: is_refused(own_cluster), "the webhook answers")
    shop = forged()
    said = shop.fails(*DEPLOY)
    assert 'admission webhook "policy.example.com" denied the request: no Deployments on Fridays' in said
    assert "Deployment.apps/shop/web" in said
    assert web(own_cluster) is None
    del stand_in.refusals["/policy"]
    shop.succeeds("deploy", "--yes", "-q")
    assert everything_is_ready(own_cluster)


def is_refused(cluster: Cluster) -> bool:
    trial = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "trial"}}
    selector = {"matchLabels": {"app": "trial"}}
    pods = {"metadata": {"labels": {"app": "trial"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    body = json.dumps({**trial, "spec": {"selector": selector, "template": pods}})
    answer = cluster.http.request(
        "POST",
        "/apis/apps/v1/namespaces/default/deployments?dryRun=All",
        body=body,
        headers={"Content-Type": "application/json"},
    )
    return b"on Fridays" in answer.data


def test_a_quota_that_is_too_small(forged: Forged, own_cluster: Cluster) -> None:
    forged().succeeds("deploy", "--yes", "-q")
    own_cluster.kubectl("apply", "-f", "-", given=QUOTA)
    new = forged(version="1.1.0")
    said = new.fails(*DEPLOY)
    assert "exceeded quota: small" in said
    assert web(own_cluster)["status"]["readyReplicas"] == 2
    own_cluster.kubectl("delete", "resourcequota", "small", "-n", NAME)
    new.succeeds("deploy", "--yes", "-q")
    assert everything_is_ready(own_cluster, "1.1.0")


def test_a_namespace_that_is_terminating(forged: Forged, own_cluster: Cluster) -> None:
    shop = forged()
    shop.succeeds("deploy", "--yes", "-q")
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    own_cluster.kubectl("-n", NAME, "patch", "service", "web", "--type=merge", "-p", json.dumps(held))
    own_cluster.kubectl("delete", "namespace", NAME, "--wait=false")
    place = f"/api/v1/namespaces/{NAME}"
    until(lambda: "example.com/hold" in str(own_cluster.get(place)["status"]), "the controller says what holds it")
    said = shop.fails(*DEPLOY)
    assert f"Namespace/{NAME}" in said
    assert "example.com/hold" in said
    own_cluster.kubectl("-n", NAME, "patch", "service", "web", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    until(lambda: own_cluster.get(place) is None, "the namespace is gone")
    shop.succeeds("deploy", "--yes", "-q")
    assert everything_is_ready(own_cluster)


@pytest.fixture
def account(own_cluster: Cluster, tmp_path: Path) -> Path:
    """The kubeconfig of a ServiceAccount that may do everything but change StatefulSets."""
    rules = [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["", *GROUPS], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]},
    ]
    role = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": "no-databases"}, "rules": rules}
    own_cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump(role))
    own_cluster.kubectl("create", "serviceaccount", "deployer", "-n", "default")
    own_cluster.kubectl(
        "create", "clusterrolebinding", "deployer", "--clusterrole=no-databases", "--serviceaccount=default:deployer"
    )
    token = own_cluster.kubectl("create", "token", "deployer", "-n", "default").strip()
    return with_user(own_cluster, tmp_path, {"token": token})


def with_user(cluster: Cluster, folder: Path, user: dict[str, object]) -> Path:
    """The cluster's kubeconfig with another user."""
    content = yaml.safe_load(cluster.kubeconfig.read_text())
    content["users"] = [{"name": content["contexts"][0]["context"]["user"], "user": user}]
    file = folder / "other-kubeconfig"
    file.write_text(yaml.safe_dump(content))
    return file


def test_no_permission_for_exactly_one_kind(forged: Forged, own_cluster: Cluster, account: Path) -> None:
    shop, before = forged(), own_cluster.contents()
    said = shop.fails(*DEPLOY, "--kubeconfig", str(account))
    assert "system:serviceaccount:default:deployer may not" in said
    assert "statefulsets.apps" in said
    assert "deployments.apps" not in said
    assert_contents(own_cluster, before)


def test_a_token_that_is_not_valid_any_more(forged: Forged, own_cluster: Cluster, account: Path) -> None:
    own_cluster.kubectl("delete", "serviceaccount", "deployer", "-n", "default")
    shop, before = forged(), own_cluster.contents()
    until(lambda: "does not know" in shop.fails(*DEPLOY, "--kubeconfig", str(account)), "the token is refused")
    assert_contents(own_cluster, before)


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({}, "system:anonymous"),
        ({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin"}}, "no-such-plugin"),
        ({"client-certificate": "/nowhere/client.crt", "client-key": "/nowhere/client.key"}, "/nowhere/client.crt"),
    ],
)
def test_credentials_that_are_not_there(
    forged: Forged, own_cluster: Cluster, tmp_path: Path, user: dict[str, object], message: str
) -> None:
    shop, before = forged(), own_cluster.contents()
    assert message in shop.fails(*DEPLOY, "--kubeconfig", str(with_user(own_cluster, tmp_path, user)))
    assert_contents(own_cluster, before)
