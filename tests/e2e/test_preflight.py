"""The checks before a deployment, Secrets and claims, on a real API server: what it really refuses, and in which words."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e.cluster import Cluster
from tests.e2e.polling import until
from tests.gitops.conftest import body
from tests.stages.deliver.preflight.quiet import Silent
from tests.stages.deliver.preflight.situations import namespace, planned, pod_spec, workload

from cluster_forge import composition
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops import bootstrap, deploy_script
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.service_options import ClusterOptions
from cluster_forge.stack.component import ExpectedSecret
from cluster_forge.stack.model import KubernetesVersion, Target
from cluster_forge.stages.deliver.cluster_records import claiming
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight import registry
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation
from cluster_forge.stages.deliver.secrets import expected as secrets
from cluster_forge.stages.deliver.secrets.given import GivenSecrets
from cluster_forge.stages.deliver.tools import DeliverTools

pytestmark = pytest.mark.e2e
DB = ExpectedSecret(name="db", namespace="shop", keys={"user": "", "password": ""})
SECURE = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
WEB = workload("Deployment", "web", pod_spec(securityContext=SECURE), replicas=1)
SETTINGS = body("v1", "ConfigMap", "settings", "shop", data={"a": "b"})
POLICY = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-settings}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]}
  validations: [{expression: "object.metadata.name != 'settings'", message: no settings here}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-settings}
spec: {policyName: no-settings, validationActions: [Deny]}
"""


@pytest.fixture(autouse=True)
def _clean(cluster: Cluster) -> Iterator[None]:
    """On a cluster that was there before the tests, nothing but this removes what has no label of Cluster-Forge."""
    yield
    if cluster.own is None:
        cluster.kubectl("delete", "--ignore-not-found", "-f", "-", given=POLICY)
        cluster.kubectl("delete", "namespace", "--ignore-not-found", "shop", "cluster-forge")


@pytest.fixture
def minor(cluster: Cluster) -> int:
    return int(cluster.get("/version")["minor"].rstrip("+"))


@pytest.fixture
def tools(cluster: Cluster, tmp_path: Path) -> DeliverTools:
    return connected(cluster.kubeconfig, tmp_path)


def connected(kubeconfig: Path, workspace: Path) -> DeliverTools:
    settings = composition.Settings(workspace=workspace)
    return composition.delivery(settings, ClusterOptions(kubeconfig=str(kubeconfig)), Silent())


def plan_of(minor: int, *bodies: dict[str, Any], **more: Any) -> DeployPlan:
    return planned(*bodies, target=Target(kubernetes=KubernetesVersion.parse(f"1.{minor}")), **more)


def problems(plan: DeployPlan, tools: DeliverTools, **options: Any) -> tuple[Problem, ...]:
    return registry.check(Situation(plan=plan, tools=tools, options=DeployOptions(tries_all=True, **options)))


def errors(found: tuple[Problem, ...]) -> set[tuple[str, str]]:
    return {(problem.code, problem.where) for problem in found if problem.is_error}


def test_an_empty_cluster_can_run_a_small_stack(minor: int, tools: DeliverTools) -> None:
    assert errors(problems(plan_of(minor, WEB, SETTINGS), tools)) == set()


def test_all_that_is_wrong_is_said_together(cluster: Cluster, minor: int, tools: DeliverTools) -> None:
    cluster.kubectl("create", "namespace", "shop")
    cluster.kubectl("label", "namespace", "shop", "pod-security.kubernetes.io/enforce=restricted")
    cluster.kubectl("apply", "-f", "-", given=POLICY)
    cluster.kubectl("create", "deployment", "web", "-n", "shop", "--image=x", "--replicas=3")
    root = workload("Deployment", "root")
    widget = body("example.com/v1", "Widget", "w", "shop")
    claim = body("v1", "PersistentVolumeClaim", "data", "shop", spec={"storageClassName": "gone"})
    plan = plan_of(minor, WEB, SETTINGS, root, widget, claim, secrets=[DB])
    refused = ("refused-object", "ConfigMap/shop/settings")
    until(lambda: refused in errors(problems(plan, tools)), "the admission policy is in force")
    assert errors(problems(plan, tools)) >= {
        refused,
        ("foreign-object", "Deployment.apps/shop/web"),
        ("field-conflict", "Deployment.apps/shop/web"),
        ("pod-security", "Deployment.apps/shop/root"),
        ("missing-api", "example.com/v1/Widget"),
        ("missing-provider", "PersistentVolumeClaim/shop/data"),
        ("missing-secret", "Secret/shop/db"),
    }


def test_a_stack_fits_beside_pods_of_others_but_not_twice(cluster: Cluster, minor: int, tools: DeliverTools) -> None:
    """The same Pods are in the way as those of another namespace, and are not as those of the stack itself."""
    nodes = cluster.get("/api/v1/nodes")["items"]
    most = min(int(node["status"]["allocatable"]["cpu"]) for node in nodes)
    asks = pod_spec(securityContext=SECURE, resources={"requests": {"cpu": f"{most * 600}m"}})
    large = workload("Deployment", "large", asks, replicas=len(nodes))
    plan = plan_of(minor, large)
    for name, expected in (("tenant", ["does-not-fit"]), ("shop", [])):
        cluster.kubectl("create", "namespace", name)
        there = {**large, "metadata": {**large["metadata"], "namespace": name}}
        cluster.kubectl(
            "apply", "--server-side", "--field-manager=cluster-forge", "-f", "-", given=yaml.safe_dump(there)
        )
        cluster.kubectl("rollout", "status", "deployment/large", "-n", name, "--timeout=60s")
        found = problems(plan, tools, adopt=True)
        assert [problem.code for problem in found if problem.code == "does-not-fit"] == expected
        if name == "tenant":
            cluster.kubectl("delete", "namespace", name)


def test_admission_refuses_the_pods_that_are_named(cluster: Cluster, minor: int, tools: DeliverTools) -> None:
    """The API server takes the Deployment, and none of its Pods: what the check says is what its events say."""
    cluster.kubectl("create", "namespace", "shop")
    cluster.kubectl("create", "quota", "team", "-n", "shop", "--hard=requests.cpu=1")
    assert ("refused-pod", "Deployment.apps/shop/web") in errors(problems(plan_of(minor, WEB), tools))
    cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump(WEB))
    query = ("get", "replicaset", "-n", "shop", "-o", "jsonpath={.items[*].status.conditions[*].message}")
    until(lambda: "must specify requests.cpu" in cluster.kubectl(*query), "the Pods are refused")


def test_a_field_that_cannot_change_is_named(cluster: Cluster, minor: int, tools: DeliverTools) -> None:
    cluster.kubectl("create", "namespace", "shop")
    cluster.kubectl("apply", "--server-side", "--field-manager=cluster-forge", "-f", "-", given=yaml.safe_dump(WEB))
    changed = {**WEB, "spec": {**WEB["spec"], "selector": {"matchLabels": {"app": "web", "b": "c"}}}}
    changed["spec"]["template"] = {**WEB["spec"]["template"], "metadata": {"labels": {"app": "web", "b": "c"}}}
    plan = plan_of(minor, changed)
    (problem,) = [problem for problem in problems(plan, tools) if problem.code == "immutable-field"]
    assert "spec.selector" in problem.message
    assert problem.option == "--recreate"


def test_a_namespace_that_does_not_go_is_named(cluster: Cluster, minor: int, tools: DeliverTools) -> None:
    cluster.kubectl("create", "namespace", "shop")
    held = body("v1", "ConfigMap", "held", "shop", data={})
    held["metadata"]["finalizers"] = ["example.com/hold"]
    cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump(held))
    cluster.kubectl("delete", "namespace", "shop", "--wait=false")
    try:
        assert ("terminating-namespace", "Namespace/shop") in errors(problems(plan_of(minor, WEB), tools))
    finally:
        cluster.kubectl("patch", "configmap", "held", "-n", "shop", "-p", '{"metadata":{"finalizers":null}}')


@pytest.fixture
def limited(cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of a user who may do everything but change Deployments."""
    rules = [
        "create", "clusterrole", "limited", "--verb=*", "--resource=namespaces,configmaps,secrets,nodes,pods,leases.coordination.k8s.io",
    ]  # fmt: skip
    cluster.kubectl(*rules)
    cluster.kubectl("create", "serviceaccount", "limited", "-n", "default")
    cluster.kubectl(
        "create", "clusterrolebinding", "limited", "--clusterrole=limited", "--serviceaccount=default:limited"
    )
    token = cluster.kubectl("create", "token", "limited", "-n", "default").strip()
    content = yaml.safe_load(cluster.kubeconfig.read_text())
    content["users"] = [{"name": content["contexts"][0]["context"]["user"], "user": {"token": token}}]
    file = tmp_path / "limited"
    file.write_text(yaml.safe_dump(content))
    yield file
    cluster.kubectl("delete", "clusterrolebinding,clusterrole", "limited")
    cluster.kubectl("delete", "serviceaccount", "limited", "-n", "default")


def test_a_permission_for_exactly_one_kind_is_named(minor: int, limited: Path, tmp_path: Path) -> None:
    lacking = [
        problem.message
        for problem in problems(plan_of(minor, WEB, SETTINGS), connected(limited, tmp_path))
        if problem.code == "missing-permission"
    ]
    verbs = "get, list, watch, create, patch, delete"
    assert lacking == [f"system:serviceaccount:default:limited may not {verbs} deployments.apps in namespace shop"]


def test_deploy_sh_refuses_the_same_objects(cluster: Cluster, minor: int, tools: DeliverTools, tmp_path: Path) -> None:
    """Of another stack, of a Helm release, of a person; not what the stack itself has."""
    own = body("v1", "ConfigMap", "own", "shop", data={})
    released = body("v1", "ConfigMap", "released", "shop", data={}, annotations={"meta.helm.sh/release-name": "web"})
    claimed = body("v1", "ConfigMap", "claimed", "shop", data={})
    others = planned(claimed)
    cluster.kubectl("create", "namespace", "shop")
    cluster.kubectl("create", "namespace", "cluster-forge")
    cluster.kubectl("apply", "--server-side", "--field-manager=cluster-forge", "-f", "-", given=yaml.safe_dump(own))
    for foreign in (SETTINGS, released):
        cluster.kubectl("create", "-f", "-", given=yaml.safe_dump(foreign))
    claim = yaml.safe_load(others.claim["claim.yaml"])
    claim["metadata"] = {**claim["metadata"], "name": "claim-other"}
    claim["metadata"]["labels"] = {**claim["metadata"]["labels"], "cluster-forge/stack": "other"}
    cluster.kubectl("create", "-f", "-", given=yaml.safe_dump(claim))
    plan = plan_of(minor, own, SETTINGS, released, claimed)
    for path, content in join(bootstrap.tree(plan), FileTree({})).files.items():
        (tmp_path / "cast" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cast" / path).write_bytes(content)
    script = tmp_path / "cast" / "deploy.sh"
    script.write_text(deploy_script.script(plan, bootstrap.tree(plan)))
    done = subprocess.run(
        ["sh", script, "--dry-run", f"--kubeconfig={cluster.kubeconfig}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3, done.stderr
    by_shell = {line.strip() for line in done.stderr.splitlines() if ": belongs to " in line}
    verdict = Situation(plan=plan, tools=tools, options=DeployOptions()).verdict
    assert {f"{foreign.subject}: belongs to {foreign.owner}" for foreign in verdict.foreign} == by_shell
    assert len(by_shell) == 3


def test_a_claim_of_either_way_is_that_of_the_other(cluster: Cluster, minor: int, tools: DeliverTools) -> None:
    plan = plan_of(minor, WEB, SETTINGS)
    situation = Situation(plan=plan, tools=tools, options=DeployOptions())
    cluster.kubectl("create", "namespace", "cluster-forge")
    claiming.claim(plan, situation.verdict, tools, run="test/1/1")
    written = yaml.safe_load(cluster.kubectl("get", "configmap", "claim-demo", "-n", "cluster-forge", "-o", "yaml"))
    assert written["data"] == yaml.safe_load(plan.claim["claim.yaml"])["data"]
    assert written["metadata"]["annotations"]["cluster-forge/run"] == "test/1/1"


def test_a_secret_is_made_and_gets_more_keys(tools: DeliverTools) -> None:
    secrets.make([DB], GivenSecrets({("shop", "db"): {"user": b"a"}}), tools.cluster)
    secrets.make([DB], GivenSecrets({("shop", "db"): {"password": b"b"}}), tools.cluster)
    made = tools.cluster.get(ObjectId(group="", kind="Secret", namespace="shop", name="db"))
    assert made is not None
    assert made["data"] == {"user": "YQ==", "password": "Yg=="}
    assert {each["manager"] for each in made["metadata"]["managedFields"]} == {secrets.MANAGER}


def test_a_namespace_enforces_what_the_stack_says(cluster: Cluster, minor: int, tools: DeliverTools) -> None:
    """The stack opens its own namespace: no Pod of it is refused."""
    cluster.kubectl("create", "namespace", "shop")
    cluster.kubectl("label", "namespace", "shop", "pod-security.kubernetes.io/enforce=restricted")
    own = namespace("shop", **{"pod-security.kubernetes.io/enforce": "privileged"})
    found = problems(plan_of(minor, workload("Deployment", "root"), own), tools, adopt=True)
    assert not any(problem.is_error for problem in found if problem.code == "pod-security")
