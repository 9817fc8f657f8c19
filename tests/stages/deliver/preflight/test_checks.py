"""Each check, on a cluster that has what it looks for and on one that has not."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, hiding
from tests.gitops.conftest import argocd_bodies, body, crd, crd_of, part
from tests.stages.deliver.deliveries import needing
from tests.stages.deliver.preflight.situations import (
    EXISTING,
    FLUX,
    found,
    installing,
    namespace,
    node,
    planned,
    pod_spec,
    running,
    situation,
    workload,
)

from cluster_forge.checks.security.pod_standards import ENFORCE
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stack.component import ExpectedSecret
from cluster_forge.stack.model import GitOps, KubernetesVersion, RepositorySource, Target
from cluster_forge.stages.deliver.preflight import (
    apis,
    claim_size,
    default_classes,
    engine,
    engine_login,
    engine_pauses,
    environment,
    host_ports,
    owners,
    permissions,
    pod_security,
    registry,
    secrets,
    terminating,
    version,
)

WEB = workload("Deployment", "web")
CLASS = body("storage.k8s.io/v1", "StorageClass", "fast", provisioner="example.com/disk")
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


def codes(problems: list[Any]) -> list[str]:
    return [problem.code for problem in problems]


# version


def on(minor: int) -> DeployPlan:
    return planned(WEB, target=Target(kubernetes=KubernetesVersion.parse(f"1.{minor}")))


@pytest.mark.parametrize(
    ("target", "minor", "severities"),
    [(33, 33, []), (33, 34, ["warning"]), (33, 32, ["warning"]), (33, 35, ["error"]), (25, 24, ["error"])],
)
def test_a_version_one_minor_apart_is_supported(target: int, minor: int, severities: list[str]) -> None:
    problems = found(version, FakeCluster(minor=minor), on(target))
    assert [problem.severity for problem in problems] == severities


# apis


def test_a_kind_that_is_not_served_is_missing() -> None:
    widget = body("example.com/v1", "Widget", "w", "shop")
    (problem,) = found(apis, FakeCluster(), planned(WEB, widget))
    assert (problem.where, problem.option) == ("example.com/v1/Widget", "--allow-missing-apis")


def test_an_api_that_does_not_answer_is_named() -> None:
    cluster = FakeCluster()
    cluster.stale = frozenset({"metrics.k8s.io"})
    (problem,) = found(apis, cluster, planned(body("metrics.k8s.io/v1", "NodeMetrics", "n")))
    assert "does not answer" in problem.message
    assert "kubectl get apiservice v1.metrics.k8s.io" in problem.fix


# environment


def claim(environment: str = "") -> dict[str, Any]:
    labels = {"cluster-forge/claim": "objects", "cluster-forge/stack": "demo"}
    labels |= {"cluster-forge/environment": environment} if environment else {}
    return body("v1", "ConfigMap", "claim-demo", "cluster-forge", labels=labels, data={"objects": ""})


@pytest.mark.parametrize(("there", "here", "is_refused"), [("a", "a", False), ("a", "b", True), ("", "b", True)])
def test_another_environment_is_refused(there: str, here: str, is_refused: bool) -> None:
    cluster = FakeCluster()
    cluster.put(namespace("cluster-forge"), claim(there))
    problems = found(environment, cluster, planned(WEB, environment=here))
    assert [problem.option for problem in problems] == ["--force-environment"] * is_refused


# terminating


def test_a_namespace_that_is_being_deleted_is_named_with_what_holds_it() -> None:
    cluster = FakeCluster()
    held = {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "1 resource has a finalizer"}
    kept = body("v1", "ConfigMap", "kept", "shop", data={})
    kept["metadata"]["finalizers"] = ["example.com/hold"]
    cluster.put(namespace("shop"), kept)
    target = ObjectId(group="", kind="Namespace", namespace="", name="shop")
    cluster.delete(target)
    cluster.set_status(target, {"phase": "Terminating", "conditions": [held]})
    (problem,) = found(terminating, cluster, planned(WEB))
    assert problem.where == "Namespace/shop"
    assert "1 resource has a finalizer" in problem.message


def test_an_object_that_is_being_deleted_is_named() -> None:
    cluster = FakeCluster()
    held = {**WEB, "metadata": {**WEB["metadata"], "finalizers": ["example.com/holds"]}}
    cluster.put(held, namespace("shop"))
    assert not found(terminating, cluster, planned(WEB))
    cluster.delete(ObjectId.of(held))
    (problem,) = found(terminating, cluster, planned(WEB))
    assert (problem.code, problem.where) == ("terminating-object", "Deployment.apps/shop/web")
    assert problem.message == "the object is being deleted: its finalizers have not ended (example.com/holds)"
    assert not found(terminating, cluster, planned(CLASS)), "others do not count"


# permissions


@pytest.mark.parametrize(
    ("denied", "says"),
    [
        (("patch", "Deployment", "shop"), "tester may not patch deployments.apps in namespace shop"),
        (("create", "Namespace", "*"), "tester may not create namespaces"),
        (("create", "Secret", "cluster-forge"), "tester may not create secrets in namespace cluster-forge"),
    ],
)
def test_a_permission_that_is_missing_is_named_by_kind_and_verb(denied: tuple[str, str, str], says: str) -> None:
    cluster = FakeCluster()
    cluster.denied.add(denied)
    assert [problem.message for problem in found(permissions, cluster, planned(WEB))] == [says]


def test_a_permission_that_the_stack_does_not_use_may_be_missing() -> None:
    cluster = FakeCluster()
    cluster.denied.add(("patch", "Ingress", "*"))
    cluster.denied.add(("patch", "Deployment", "elsewhere"))
    assert found(permissions, cluster, planned(WEB)) == []


def test_what_argo_cd_applies_needs_no_permission_of_the_user() -> None:
    cluster = FakeCluster()
    cluster.denied.add(("patch", "Deployment", "shop"))
    assert found(permissions, cluster, planned(WEB, gitops=EXISTING)) == []


def test_the_project_and_the_root_take_permissions_in_the_namespace_of_argo_cd() -> None:
    cluster = FakeCluster()
    cluster.put(crd_of("argoproj.io", "Application"), crd_of("argoproj.io", "AppProject"))
    cluster.denied.add(("patch", "AppProject", "argocd"))
    (problem,) = found(permissions, cluster, planned(WEB, gitops=EXISTING))
    assert "may not patch appprojects.argoproj.io in namespace argocd" in problem.message


# owners


def test_an_object_of_others_is_refused_with_its_owner_and_the_way() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), WEB, manager="kubectl-edit")
    (problem,) = found(owners, cluster, planned(WEB))
    assert problem.where == "Deployment.apps/shop/web"
    assert "no stack (its fields are those of kubectl-edit)" in problem.message
    assert problem.option == "--adopt"


def test_what_another_application_applies_cannot_be_adopted() -> None:
    cluster = FakeCluster()
    cluster.put(crd_of("argoproj.io", "Application"), namespace("argocd"), namespace("shop"))
    cluster.put(
        body("argoproj.io/v1alpha1", "Application", "other.web", "argocd", labels={"cluster-forge/stack": "other"})
    )
    tracked = {"argocd.argoproj.io/tracking-id": "other.web:apps/Deployment:shop/web"}
    cluster.put({**WEB, "metadata": {**WEB["metadata"], "annotations": tracked}})
    (problem,) = found(owners, cluster, planned(WEB))
    assert (problem.option, problem.severity) == ("", Severity.ERROR)
    assert "the Application other.web of the stack other" in problem.message


# secrets


EXPECTED = ExpectedSecret(name="db", namespace="shop", keys={"user": "", "password": ""}, purpose="the database")


def test_a_missing_secret_comes_with_the_commands_that_make_it() -> None:
    (problem,) = found(secrets, FakeCluster(), planned(WEB, secrets=[EXPECTED]))
    assert "(the database), and it is not there" in problem.message
    assert "kubectl --context fake create namespace shop\n" in problem.fix
    assert "create secret generic db --namespace shop" in problem.fix
    assert "--from-literal='user=…'" in problem.fix


def test_a_secret_that_lacks_a_key_is_patched_not_replaced() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), body("v1", "Secret", "db", "shop", data={"user": "c2VjcmV0"}))
    (problem,) = found(secrets, cluster, planned(WEB, secrets=[EXPECTED]))
    assert problem.message.endswith("it lacks password")
    assert "patch secret db" in problem.fix
    assert '"user"' not in problem.fix
    assert "c2VjcmV0" not in f"{problem.fix}{problem.message}"


def test_a_secret_with_its_keys_is_not_reported() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), body("v1", "Secret", "db", "shop", data={"user": "", "password": ""}))
    assert found(secrets, cluster, planned(WEB, secrets=[EXPECTED])) == []


# default_classes


CLAIM = body("v1", "PersistentVolumeClaim", "data", "shop", spec={})


def test_a_claim_without_a_class_needs_a_default_one() -> None:
    cluster = FakeCluster()
    cluster.put(CLASS)
    (problem,) = found(default_classes, cluster, planned(CLAIM))
    assert "needs storage-class" in problem.message
    cluster.put({**CLASS, "metadata": {"name": "main", "annotations": DEFAULT}})
    assert found(default_classes, cluster, planned(CLAIM)) == []


@pytest.mark.parametrize(("name", "is_there"), [("fast", True), ("gone", False)])
def test_a_claim_finds_the_class_that_it_names(name: str, is_there: bool) -> None:
    cluster = FakeCluster()
    cluster.put(CLASS)
    claimed = {**CLAIM, "spec": {"storageClassName": name}}
    assert (found(default_classes, cluster, planned(claimed)) == []) is is_there


@pytest.mark.parametrize(
    ("needed", "has_default", "is_late"), [("shop", False, True), ("shop", True, False), ("elsewhere", False, False)]
)
def test_a_claim_does_not_wait_for_a_class_that_waits_for_it(*, needed: str, has_default: bool, is_late: bool) -> None:
    cluster = FakeCluster()
    if has_default:
        cluster.put({**CLASS, "metadata": {"name": "main", "annotations": DEFAULT}})
    own = {**CLASS, "metadata": {"name": "own", "annotations": DEFAULT}}
    storage = needing(part("storage", [own], wave=10), needed)
    problems = found(default_classes, cluster, planned(CLAIM, more=(storage,)))
    late = "its claim waits for the default StorageClass of storage, which waits for shop"
    assert [problem.message for problem in problems] == ([late] if is_late else [])


def test_of_many_claims_some_are_named() -> None:
    claims = [{**CLAIM, "metadata": {"name": f"data-{number}", "namespace": "shop"}} for number in range(9)]
    (problem,) = found(default_classes, FakeCluster(), planned(*claims))
    also = ", ".join(f"PersistentVolumeClaim/shop/data-{number}" for number in range(1, 6))
    assert problem.where == "PersistentVolumeClaim/shop/data-0"
    assert problem.message.endswith(f"(also: {also} and 3 more)")


def test_a_class_of_the_stack_counts() -> None:
    own = {**CLASS, "metadata": {"name": "own", "annotations": DEFAULT}}
    assert found(default_classes, FakeCluster(), planned(CLAIM, own)) == []


def test_an_ingress_needs_a_controller() -> None:
    ingress = body("networking.k8s.io/v1", "Ingress", "web", "shop", spec={})
    cluster = FakeCluster()
    assert codes(found(default_classes, cluster, planned(ingress))) == ["missing-provider"]
    cluster.put(body("networking.k8s.io/v1", "IngressClass", "nginx", spec={"controller": "example.com/nginx"}))
    assert found(default_classes, cluster, planned(ingress)) == []


# host_ports


def exporter(name: str, **more: Any) -> dict[str, Any]:
    spec = {**pod_spec(ports=[{"containerPort": 9100}]), "hostNetwork": True, **more}
    return workload("DaemonSet", name, spec)


def test_two_daemon_sets_that_want_one_port_are_named() -> None:
    cluster = FakeCluster()
    cluster.put(node("a"))
    (problem,) = found(host_ports, cluster, planned(exporter("one"), exporter("two")))
    assert problem.where == "DaemonSet.apps/shop/one"
    assert problem.message == "wants port 9100/TCP of its nodes, and so does DaemonSet.apps/shop/two of the stack"


@pytest.mark.parametrize(
    "other",
    [
        exporter("two", nodeSelector={"os": "windows"}),
        workload("DaemonSet", "two", pod_spec(ports=[{"containerPort": 9100}])),
        workload("DaemonSet", "two", pod_spec(ports=[{"containerPort": 1, "hostPort": 9100, "protocol": "UDP"}])),
    ],
    ids=["other nodes", "no host port", "other protocol"],
)
def test_ports_that_do_not_meet_are_not_reported(other: dict[str, Any]) -> None:
    cluster = FakeCluster()
    cluster.put(node("a"))
    assert found(host_ports, cluster, planned(exporter("one", nodeSelector={"os": "linux"}), other)) == []


def test_a_port_that_a_pod_of_others_has_is_named_with_its_node() -> None:
    cluster = FakeCluster()
    taken = pod_spec(ports=[{"containerPort": 80, "hostPort": 9100}])
    cluster.put(
        node("a"), namespace("shop"), running("ex", taken, "a"), running("one-x", taken, "a", "shop", app="one")
    )
    (problem,) = found(host_ports, cluster, planned(exporter("one")))
    assert "the Pod default/ex on node a" in problem.message


# pod_security


@pytest.mark.parametrize(("level", "is_refused"), [("privileged", False), ("baseline", True), ("restricted", True)])
def test_a_namespace_that_refuses_the_pods_is_named(level: str, is_refused: bool) -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop", **{ENFORCE: level}))
    problems = found(pod_security, cluster, planned(exporter("one")))
    assert bool(problems) is is_refused
    assert all(f"enforces the Pod Security level {level}" in problem.message for problem in problems)


def test_the_level_that_the_stack_gives_a_namespace_counts() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop", **{ENFORCE: "restricted"}))
    own = namespace("shop", **{ENFORCE: "privileged"})
    assert found(pod_security, cluster, planned(exporter("one"), own)) == []


# engine


def argo_cd(tag: str = "v3.1.4", where: str = "argocd", env: Any = ()) -> list[dict[str, Any]]:
    def of(kind: str, component: str) -> dict[str, Any]:
        labels = {"app.kubernetes.io/part-of": "argocd", "app.kubernetes.io/component": component}
        spec = {"containers": [{"name": "x", "image": f"quay.io/argoproj/argocd:{tag}", "env": list(env)}]}
        return body("apps/v1", kind, component, where, labels=labels, spec={"template": {"spec": spec}})

    return [
        crd_of("argoproj.io", "Application"),
        namespace(where),
        of("StatefulSet", "application-controller"),
        of("Deployment", "repo-server"),
    ]


def settings(name: str, **data: str) -> dict[str, Any]:
    return body("v1", "ConfigMap", name, "argocd", data=data)


GOOD = {"resource.customizations.health.argoproj.io_Application": "local sync = obj.status.sync"}


def test_a_good_argo_cd_is_not_reported() -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), settings("argocd-cm", **GOOD))
    assert found(engine, cluster, planned(WEB, gitops=EXISTING)) == []


def test_an_argo_cd_that_is_not_there_is_missing() -> None:
    assert codes(found(engine, FakeCluster(), planned(WEB, gitops=EXISTING))) == ["engine-missing"]


def test_an_argo_cd_of_which_only_the_crds_are_there_is_missing() -> None:
    cluster = FakeCluster()
    cluster.put(crd_of("argoproj.io", "Application"))
    assert codes(found(engine, cluster, planned(WEB, gitops=EXISTING))) == ["engine-missing"]


def test_several_argo_cds_without_the_usual_namespace_are_named() -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(where="one"), *argo_cd(where="two"))
    (problem,) = found(engine, cluster, planned(WEB, gitops=EXISTING))
    assert "Argo CD in the namespaces one, two, and the stack does not say which" in problem.message
    assert not [one for one in found(engine, cluster, planned(WEB, gitops=EXISTING), namespace="two") if one.is_error]


def test_a_flux_that_is_not_there_is_missing() -> None:
    cluster = FakeCluster()
    plan = planned(WEB, gitops=FLUX)
    (problem,) = found(engine, cluster, plan)
    assert "does not serve GitRepository and Kustomization" in problem.message
    cluster.put(crd_of("source.toolkit.fluxcd.io", "GitRepository", "v1", "gitrepositories"))
    cluster.put(crd_of("kustomize.toolkit.fluxcd.io", "Kustomization", "v1"))
    assert found(engine, cluster, plan) == []


@pytest.mark.parametrize(
    ("tag", "severities"),
    [("v2.14.9", ["error"] * 2), ("v3.0.0", []), ("3.5.7-debian", []), ("latest", ["warning"] * 2)],
)
def test_an_argo_cd_before_3_0_is_refused(tag: str, severities: list[str]) -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(tag), settings("argocd-cm", **GOOD))
    assert [problem.severity for problem in found(engine, cluster, planned(WEB, gitops=EXISTING))] == severities


OCI = GitOps(install=False, source=RepositorySource.OCI, url="oci://registry.example.com/demo")


@pytest.mark.parametrize(
    ("tag", "gitops", "refusals"),
    [("v3.0.23", OCI, 2), ("v3.1.0", OCI, 0), ("v3.0.23", EXISTING, 0), ("v2.14.9", OCI, 2)],
)
def test_an_argo_cd_that_reads_no_stack_in_a_registry_is_refused(tag: str, gitops: GitOps, refusals: int) -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(tag), settings("argocd-cm", **GOOD))
    problems = found(engine, cluster, planned(WEB, gitops=gitops))
    assert codes(problems) == ["engine-version"] * refusals
    assert all(problem.is_error for problem in problems)


ENDPOINTS = part("db", [body("v1", "Endpoints", name, "shop") for name in ("db", "cache")])
LEFT_OUT = "- apiGroups: ['', discovery.k8s.io]\n  kinds: [Endpoints, EndpointSlice]\n"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({}, ""),
        ({"resource.exclusions": LEFT_OUT}, "applies no Endpoints, and the stack has 2 objects of this kind: "),
        ({"resource.inclusions": LEFT_OUT}, ""),
        ({"resource.inclusions": "- kinds: [Secret]"}, "applies no Endpoints"),
        ({"resource.exclusions": "- apiGroups: ['{,discovery.k8s.io}']\n"}, "applies no Endpoints"),
        ({"resource.exclusions": "- ["}, "Argo CD cannot read its rules about resources: "),
        ({"resource.exclusions": "kinds: [Secret]"}, "resource.exclusions is not a list"),
    ],
)
def test_objects_that_the_settings_of_argo_cd_leave_out_are_named(rules: dict[str, str], said: str) -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), settings("argocd-cm", **GOOD, **rules))
    problems = found(engine, cluster, planned(WEB, gitops=EXISTING, more=(ENDPOINTS,)), parts=(ENDPOINTS,))
    assert codes(problems) == ["engine-setting"] * bool(said)
    assert all(said in problem.message and problem.is_error for problem in problems)


def test_objects_that_the_argo_cd_of_the_stack_leaves_out_are_named() -> None:
    bodies = [one for one in argocd_bodies() if one["metadata"]["name"] != "argocd-cm"]
    own = settings("argocd-cm", **{"resource.exclusions": LEFT_OUT})
    argo = part("argo-cd", [*bodies, own], wave=-110, namespace="argocd")
    (problem,) = found(engine, FakeCluster(), installing(WEB), parts=(argo, ENDPOINTS))
    assert (problem.code, problem.where) == ("engine-setting", "ConfigMap/argocd/argocd-cm")
    assert "change resource.exclusions there" in problem.fix


def test_a_lease_is_never_applied_by_argo_cd() -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), settings("argocd-cm", **GOOD))
    lease = part("lock", [body("coordination.k8s.io/v1", "Lease", "lock", "shop")])
    (problem,) = found(engine, cluster, planned(WEB, gitops=EXISTING), parts=(lease,))
    assert problem.fix == "take them out of the stack"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"resource.customizations.health.argoproj.io_Application": "hs.status = obj.status.health.status"},
        {**GOOD, "application.resourceTrackingMethod": "label"},
    ],
    ids=["no script", "the script of the documentation", "tracking by label"],
)
def test_settings_that_end_a_deployment_too_early_are_warnings(data: dict[str, str]) -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), settings("argocd-cm", **data))
    (problem,) = found(engine, cluster, planned(WEB, gitops=EXISTING))
    assert (problem.code, problem.severity) == ("engine-setting", Severity.WARNING)
    assert problem.fix.startswith("kubectl patch") or problem.fix.endswith("-f bootstrap/argocd-settings.yaml")


LIMIT = "reposerver.max.combined.directory.manifests.size"
VARIABLE = "ARGOCD_REPO_SERVER_MAX_COMBINED_DIRECTORY_MANIFESTS_SIZE"


@pytest.mark.parametrize(
    ("data", "env", "is_refused"),
    [
        ({}, (), True),
        ({LIMIT: "20M"}, (), False),
        ({}, ({"name": VARIABLE, "value": "20M"},), False),
        ({LIMIT: "20M"}, ({"name": VARIABLE, "value": "1M"},), True),
    ],
)
def test_a_component_that_is_too_large_for_argo_cd_is_named(data: dict[str, str], env: Any, is_refused: bool) -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(env=env), settings("argocd-cm", **GOOD), settings("argocd-cmd-params-cm", **data))
    large = part("large", [body("v1", "ConfigMap", "c", "shop", data={"text": "x" * 11_000_000})])
    problems = found(engine, cluster, planned(WEB, gitops=EXISTING), parts=(large,))
    assert [problem.message.split(",")[0] for problem in problems] == [
        "the manifests of component large have 11.0 MB"
    ] * is_refused


EXTERNAL = GitOps(
    install=False, source=RepositorySource.EXTERNAL, url="https://git.example.com/demo.git", secret="repository"
)


def login(**labels: str) -> dict[str, Any]:
    return body("v1", "Secret", "repository", "argocd", labels=labels, data={"url": "aHR0cHM="})


@pytest.mark.parametrize(
    ("there", "fix"),
    [
        (
            [],
            "kubectl create secret generic repository -n argocd --from-literal=type=git --from-literal=url=https://git.ex",
        ),
        ([login()], "kubectl label --overwrite secret repository -n argocd argocd.argoproj.io/secret-type=repository"),
        ([login(**{"argocd.argoproj.io/secret-type": "cluster"})], "kubectl label --overwrite secret repository"),
    ],
)
def test_the_login_to_the_repository_that_argo_cd_lacks_is_named(there: list[dict[str, Any]], fix: str) -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), settings("argocd-cm", **GOOD), *there)
    (problem,) = found(engine_login, cluster, planned(WEB, gitops=EXTERNAL))
    assert problem.code == "engine-login"
    assert problem.where == "Secret/argocd/repository"
    assert problem.fix.startswith(fix)


@pytest.mark.parametrize("kind", ["repository", "repo-creds"])
def test_a_login_that_argo_cd_knows_is_enough(kind: str) -> None:
    cluster = FakeCluster()
    secret = login(**{"argocd.argoproj.io/secret-type": kind})
    cluster.put(*argo_cd(), settings("argocd-cm", **GOOD), secret)
    assert not found(engine_login, cluster, planned(WEB, gitops=EXTERNAL))


@pytest.mark.parametrize("url", ["ssh://git@git.example.com/team/demo.git", "git@git.example.com:team/demo.git"])
def test_the_login_over_ssh_is_a_key(url: str) -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), settings("argocd-cm", **GOOD))
    (problem,) = found(engine_login, cluster, planned(WEB, gitops=replace(EXTERNAL, url=url)))
    assert "--from-literal=url=URL --from-file=sshPrivateKey=KEY" in problem.fix
    assert "password" not in problem.fix


@pytest.mark.parametrize(
    ("settings_", "fix"),
    [
        ({"url": "https://git.example.com/demo.git"}, "generic login -n cluster-forge --from-literal=username=…"),
        ({"url": "ssh://git@git.example.com/demo.git"}, "generic login -n cluster-forge --from-file=identity=KEY"),
        (
            {"url": "oci://registry.example.com/demo", "source": RepositorySource.OCI},
            "docker-registry login -n cluster-forge --docker-server=registry.example.com --docker-username=…",
        ),
    ],
)
def test_the_login_to_the_repository_that_flux_lacks_is_named(settings_: dict[str, Any], fix: str) -> None:
    cluster = FakeCluster()
    plan = planned(WEB, gitops=replace(FLUX, secret="login", **settings_))
    (problem,) = found(engine_login, cluster, plan)
    assert (problem.code, problem.where) == ("engine-login", "Secret/cluster-forge/login")
    assert problem.fix.startswith(f"kubectl create namespace cluster-forge && kubectl create secret {fix}")
    cluster.put(namespace("cluster-forge"))
    (problem,) = found(engine_login, cluster, plan)
    assert problem.fix.startswith(f"kubectl create secret {fix}")
    cluster.put(body("v1", "Secret", "login", "cluster-forge"))
    assert not found(engine_login, cluster, plan)
    assert not found(engine_login, FakeCluster(), planned(WEB, gitops=FLUX)), "it needs none"


def test_the_key_that_flux_decrypts_with_is_named() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("cluster-forge"))
    encrypted = body(
        "v1", "Secret", "password", "shop", stringData={"a": "ENC[x]"}, sops={"age": [{"recipient": "age1"}]}
    )
    shop = part("shop", [encrypted, WEB])
    (problem,) = found(engine_login, cluster, planned(encrypted, WEB, gitops=FLUX), parts=[shop])
    assert (problem.code, problem.where) == ("sops-key", "Secret/cluster-forge/sops-age")
    assert "kubectl create secret generic sops-age -n cluster-forge --from-file=age.agekey=KEY" in problem.fix
    cluster.put(body("v1", "Secret", "sops-age", "cluster-forge"))
    assert not found(engine_login, cluster, planned(encrypted, WEB, gitops=FLUX), parts=[shop])


def test_crds_do_not_count_with_their_component() -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), settings("argocd-cm", **GOOD))
    bodies = [crd(f"{name}.example.com", description="x" * 6_000_000) for name in ("as", "bs")]
    large = part("large", [*bodies, body("v1", "ConfigMap", "c", "shop")])
    plan = planned(WEB, gitops=EXISTING, more=(large,))
    assert list(engine.problems(situation(cluster, plan, [large]))) == []


def test_a_namespace_of_argo_cd_is_for_a_stack_that_an_argo_cd_delivers() -> None:
    cluster = FakeCluster()
    assert codes(found(engine, cluster, planned(WEB), namespace="gitops")) == ["engine-namespace"]
    (problem,) = found(engine, cluster, installing(WEB), namespace="gitops")
    assert "installs Argo CD in namespace argocd" in problem.message
    assert not found(engine, cluster, installing(WEB), namespace="argocd")


def test_a_second_flux_is_refused() -> None:
    cluster = FakeCluster()
    controllers = [scaled("kustomize-controller", 1, "flux", where) for where in ("flux-system", "gitops")]
    cluster.put(*controllers)
    kinds = crd_of("kustomize.toolkit.fluxcd.io", "Kustomization", "v1")
    flux2 = part("flux2", [kinds, controllers[0]], wave=-110, namespace="flux-system")
    plan = planned(WEB, gitops=replace(FLUX, install=True), more=(flux2,))
    (problem,) = found(engine, cluster, plan)
    assert (problem.code, problem.where) == ("engine-present", "Namespace/gitops")
    assert problem.message == "a Flux runs in namespace gitops already, and the stack installs one"


def test_a_second_argo_cd_whose_controller_is_a_deployment_is_refused() -> None:
    cluster = FakeCluster()
    cluster.put(scaled("application-controller", 2, "argocd", "gitops"))
    assert codes(found(engine, cluster, installing(WEB))) == ["engine-present"]


def test_a_second_argo_cd_is_refused() -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(where="gitops"))
    (problem,) = found(engine, cluster, installing(WEB))
    assert problem.code == "engine-present"
    assert "install: false" in problem.fix


def test_what_the_user_may_not_see_is_said() -> None:
    cluster = FakeCluster()
    cluster.put(node("a"))
    cluster.before = hiding("Node")
    (problem,) = registry.check(situation(cluster, planned(WEB)))
    assert (problem.code, problem.severity) == ("not-checked", Severity.WARNING)
    assert problem.message == "cannot see the nodes and their Pods: nodes is forbidden"


def test_what_several_checks_may_not_see_is_said_once() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"))
    cluster.before = hiding("Namespace")
    problems = registry.check(situation(cluster, planned(WEB)))
    (problem,) = (one for one in problems if one.code == "not-checked")
    assert problem.severity is Severity.ERROR
    for what in (terminating.LOOKS_AT, pod_security.LOOKS_AT):
        assert what in problem.message
    assert problem.message.endswith("namespaces is forbidden")


def test_what_a_check_has_found_is_said_although_it_may_not_see_the_rest() -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), scaled("repo-server", 0, "argocd", "argocd"))
    cluster.before = hiding("Secret")
    problems = registry.check(situation(cluster, planned(WEB, gitops=EXISTING)), (engine_pauses,))
    assert codes(list(problems)) == ["engine-paused", "not-checked"]


# claim-size


@pytest.mark.parametrize(("count", "expected"), [(6_000, []), (16_000, ["too-many-objects"])])
def test_a_list_that_no_configmap_can_hold_is_said_before_the_first_change(count: int, expected: list[str]) -> None:
    lines = "".join(f"ConfigMap shop {number:05}-{'x' * 60} -\n" for number in range(count))
    plan = planned(WEB)
    claim = type(plan.claim)({**plan.claim.files, "objects": lines.encode()})
    problems = found(claim_size, FakeCluster(), replace(plan, claim=claim))
    assert codes(problems) == expected
    for problem in problems:
        assert "the list of the stack's 16,000 objects has " in problem.message
        assert problem.message.endswith(" bytes, and the API server takes 1,048,576")
        assert problem.fix == "make two stacks of it, with half of the components each"


# what an engine delivers already


def with_kustomization(stack: str) -> FakeCluster:
    group = "kustomize.toolkit.fluxcd.io"
    cluster = FakeCluster()
    cluster.put(crd_of(group, "Kustomization", "v1"))
    labels = {"cluster-forge/stack": stack}
    cluster.put(
        namespace("flux-system"), body(f"{group}/v1", "Kustomization", "demo.other", "flux-system", labels=labels)
    )
    return cluster


@pytest.mark.parametrize(("stack", "expected"), [("demo", ["foreign-object"]), ("other", [])])
def test_a_stack_that_flux_delivers_is_delivered_by_nothing_else(stack: str, expected: list[str]) -> None:
    problems = found(owners, with_kustomization(stack), planned(WEB), adopt=True)
    assert codes(problems) == expected
    assert all(not problem.option for problem in problems)
    assert codes(found(owners, with_kustomization(stack), planned(WEB, gitops=FLUX))) == []


def test_a_narrowed_stack_takes_nothing_from_flux() -> None:
    narrowed = replace(planned(WEB, gitops=FLUX), narrowed="component shop")
    assert codes(found(environment, with_kustomization("demo"), narrowed)) == ["narrowed-stack"]
    assert codes(found(environment, with_kustomization("other"), narrowed)) == []


# engine_pauses

SUSPENDED = {"spec": {"suspend": True}}


def scaled(component: str, replicas: int, part_of: str, where: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": part_of, "app.kubernetes.io/component": component}
    return body("apps/v1", "Deployment", component, where, labels=labels, spec={"replicas": replicas})


def cluster_secret(name: str, server: str, pause: str) -> dict[str, Any]:
    """What describes a cluster to Argo CD."""
    data = {"name": name, "server": server, "config": "a password"}
    marks = {
        "labels": {"argocd.argoproj.io/secret-type": "cluster"},
        "annotations": {"argocd.argoproj.io/skip-reconcile": pause},
    }
    secret = body("v1", "Secret", f"cluster-{name}", "argocd")
    secret["metadata"] |= marks
    return secret | {"data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}}


@pytest.mark.parametrize(
    ("server", "pause", "fixes"),
    [
        ("https://kubernetes.default.svc", "true", 1),
        ("https://kubernetes.default.svc", "1", 1),
        ("https://kubernetes.default.svc", "no", 0),
        ("https://eu.example.com", "true", 0),
    ],
)
def test_a_cluster_that_argo_cd_skips_is_named_with_the_command(server: str, pause: str, fixes: int) -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), cluster_secret("here", server, pause))
    problems = found(engine_pauses, cluster, planned(WEB, gitops=EXISTING))
    command = "kubectl annotate secret cluster-here -n argocd argocd.argoproj.io/skip-reconcile-"
    assert [(one.code, one.where, command in one.fix) for one in problems] == [
        ("engine-paused", "Secret/argocd/cluster-here", True)
    ] * fixes


@pytest.mark.parametrize(
    ("central", "servers"), [(("eu",), 1), (("us",), 0), (("in-cluster",), 0), (("eu", "in-cluster"), 1)]
)
def test_what_is_paused_or_left_out_is_asked_of_the_clusters_of_a_central_argo_cd(
    central: tuple[str, ...], servers: int
) -> None:
    cluster = FakeCluster()
    rules = {"resource.exclusions": "- kinds: [Endpoints]\n  clusters: ['https://{eu,asia}.example.com']\n"}
    cluster.put(*argo_cd(), settings("argocd-cm", **GOOD, **rules))
    for name, pause in (("eu", "true"), ("us", "false")):
        cluster.put(cluster_secret(name, f"https://{name}.example.com", pause))
    plan = planned(WEB, gitops=EXISTING, more=(ENDPOINTS,))
    asked = replace(situation(cluster, plan, parts=(ENDPOINTS,)), central=central)
    assert codes(list(engine.problems(asked))) == ["engine-setting"] * servers
    assert codes(list(engine_pauses.problems(asked))) == ["engine-paused"] * servers


@pytest.mark.parametrize(("value", "fixes"), [("true", 1), ("T", 1), ("false", 0), ("yes", 0)])
def test_an_application_that_argo_cd_skips_is_named_with_the_command(value: str, fixes: int) -> None:
    plan = planned(WEB, gitops=EXISTING)
    assert plan.argocd
    labels = dict(label.split("=") for label in plan.argocd.selector.split(","))
    cluster = FakeCluster()
    marks = {"labels": labels, "annotations": {"argocd.argoproj.io/skip-reconcile": value}}
    application = body("argoproj.io/v1alpha1", "Application", "demo.shop", "argocd")
    application["metadata"] |= marks
    cluster.put(*argo_cd(), application)
    command = "kubectl annotate application.argoproj.io demo.shop -n argocd argocd.argoproj.io/skip-reconcile-"
    problems = found(engine_pauses, cluster, plan)
    assert [(one.code, one.is_error, command in one.fix) for one in problems] == [("engine-paused", True, True)] * fixes


def test_a_source_and_a_kustomization_that_are_suspended_are_named_with_the_command() -> None:
    cluster = FakeCluster()
    cluster.put(crd_of("source.toolkit.fluxcd.io", "GitRepository", "v1", "gitrepositories"))
    cluster.put(crd_of("kustomize.toolkit.fluxcd.io", "Kustomization", "v1"))
    for kind, name in (("source", "demo"), ("kustomize", "demo.shop"), ("kustomize", "another.shop")):
        api = f"{kind}.toolkit.fluxcd.io/v1"
        cluster.put(
            body(api, {"source": "GitRepository"}.get(kind, "Kustomization"), name, "cluster-forge") | SUSPENDED
        )
    source, component = found(engine_pauses, cluster, planned(WEB, gitops=FLUX))
    assert "kubectl patch gitrepository.source.toolkit.fluxcd.io demo -n cluster-forge" in source.fix
    assert "kubectl patch kustomization.kustomize.toolkit.fluxcd.io demo.shop -n cluster-forge" in component.fix


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, []),  # its controller has not looked at it yet
        ({"observedGeneration": 1, "replicas": 1}, [("engine-down", Severity.WARNING)]),
        ({"observedGeneration": 1, "replicas": 2, "readyReplicas": 1}, []),
    ],
)
def test_a_controller_without_a_ready_pod_is_a_warning(status: dict[str, int], expected: list[Any]) -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), scaled("repo-server", 1, "argocd", "argocd") | {"status": status})
    problems = found(engine_pauses, cluster, planned(WEB, gitops=EXISTING))
    assert [(one.code, one.severity) for one in problems] == expected


@pytest.mark.parametrize(("replicas", "codes_"), [(0, ["engine-paused"]), (1, [])])
def test_a_controller_that_is_scaled_to_zero_is_named(replicas: int, codes_: list[str]) -> None:
    cluster = FakeCluster()
    cluster.put(*argo_cd(), scaled("repo-server", replicas, "argocd", "argocd"))
    cluster.put(
        scaled("notifications-controller", 0, "argocd", "argocd"), scaled("kustomize-controller", 0, "flux", "x")
    )
    assert codes(found(engine_pauses, cluster, planned(WEB, gitops=EXISTING))) == codes_
    flux = FakeCluster()
    flux.put(scaled("source-controller", replicas, "flux", "flux-system"))
    assert codes(found(engine_pauses, flux, planned(WEB, gitops=FLUX))) == codes_
