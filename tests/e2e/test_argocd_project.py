"""A real Argo CD under the AppProject of a stack: it applies and prunes what the stack has and had, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e.cluster import Cluster
from tests.e2e.stacks import NAME, Shop

from cluster_forge.gitops.argocd import project
from cluster_forge.manifests.manifest import Body

pytestmark = pytest.mark.e2e
PROJECTS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects"
NIGHTLY = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: backup}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: backup, image: "registry.example.com/backup:1.0.0"}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: nightly-backup}
rules: []
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: backups}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reader}
spec:
  selector: {matchLabels: {app: reader}}
  template:
    metadata: {labels: {app: reader}}
    spec:
      containers: [{name: reader, image: "registry.example.com/reader:1.0.0", volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: backups}}]
"""
CRON_JOB = "/apis/batch/v1/namespaces/nightly/cronjobs/backup"
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/nightly-backup"
CLAIM = "/api/v1/namespaces/nightly/persistentvolumeclaims/backups"


@pytest.fixture
def shop(own_cluster: Cluster, tmp_path: Path) -> Shop:
    return Shop(workspace=tmp_path / "workspace", cluster=own_cluster)


def well(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr


def permitted(cluster: Cluster, list_name: str = "namespaceResourceWhitelist") -> set[str]:
    """The kinds that the project permits."""
    return {entry["kind"] for entry in spec(cluster)[list_name]}


def spec(cluster: Cluster) -> Body:
    found: dict[str, Any] = cluster.get(f"{PROJECTS}/{NAME}.project")
    return dict(found["spec"])


def test_what_leaves_the_stack_is_pruned_and_what_comes_back_is_applied(
    shop: Shop, own_cluster: Cluster, argocd: str
) -> None:
    shop.forge(engine="argocd", install=False, more={"nightly": NIGHTLY})
    settings = shop.stack / "bootstrap" / "argocd-settings.yaml"
    own_cluster.kubectl("apply", "--server-side", "-n", argocd, "-f", settings)
    done = shop.program("deploy", "--yes", "--timeout", "300")
    well(done)
    assert "engine-setting" not in done.stdout
    assert own_cluster.get(CRON_JOB)
    first = spec(own_cluster)
    assert "*" not in str(first)
    assert "CronJob" in permitted(own_cluster)
    assert "ClusterRole" in permitted(own_cluster, "clusterResourceWhitelist")

    shop.forge(engine="argocd", install=False)
    well(shop.deploy_script("--timeout", "300"))
    assert own_cluster.get(CRON_JOB) is None
    assert own_cluster.get(ROLE) is None
    assert own_cluster.get(CLAIM), "it holds data"
    assert own_cluster.get("/api/v1/namespaces/nightly")
    written = yaml.safe_load((shop.stack / "bootstrap" / "project.yaml").read_text())
    assert spec(own_cluster) == project.in_namespace(written, argocd)["spec"]
    assert "CronJob" not in permitted(own_cluster)
    assert "ClusterRole" not in permitted(own_cluster, "clusterResourceWhitelist")

    well(shop.program("rollback", "--to", "1", "--yes"))
    assert own_cluster.get(CRON_JOB)
    assert spec(own_cluster) == first

    well(shop.program("remove", "--yes"))
    assert own_cluster.get(f"{PROJECTS}/{NAME}.project") is None
    assert own_cluster.get(f"{PROJECTS}/default")


def test_argo_cd_is_installed_by_the_stack(
    own_cluster: Cluster, argocd_when_delivered: str, tmp_path: Path, corpus: Path
) -> None:
    shop = Shop(workspace=tmp_path / "workspace", cluster=own_cluster, mirror=corpus / "mirror")
    shop.forge(engine="argocd", mode="headless")
    well(shop.program("deploy", "--yes", "--timeout", "300"))
    assert permitted(own_cluster) >= {"Deployment", "Application", "Widget"}
    deployments = own_cluster.get(f"/apis/apps/v1/namespaces/{argocd_when_delivered}/deployments")["items"]
    there = {one["metadata"]["labels"].get("app.kubernetes.io/component") for one in deployments}
    assert "repo-server" in there
    assert not {"server", "dex-server"} & there
    well(shop.program("deploy", "--yes", "--timeout", "300"))  # it looks after itself by now, and owns fields
    well(shop.deploy_script("--timeout", "300"))


def test_argo_cd_applies_nothing_of_a_kind_that_the_stack_does_not_have(
    shop: Shop, own_cluster: Cluster, argocd: str
) -> None:
    """Somebody else's Application under this project."""
    shop.forge(engine="argocd", install=False)
    well(shop.program("deploy", "--yes", "--timeout", "300"))
    applications = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
    web = own_cluster.get(f"{applications}/{NAME}.web")
    stolen: Body = {
        "apiVersion": web["apiVersion"],
        "kind": "Application",
        "metadata": {"name": "stolen", "namespace": argocd},
        "spec": {**web["spec"], "destination": {**web["spec"]["destination"], "namespace": "kube-system"}},
    }
    own_cluster.apply(f"{applications}/stolen", stolen)
    said = own_cluster.kubectl(
        *("wait", "-n", argocd, "applications.argoproj.io/stolen", "--timeout=120s"),
        "--for=jsonpath={.status.conditions[0].type}=InvalidSpecError",
    )
    assert "condition met" in said


def test_an_external_repository_without_the_tag_is_said(
    shop: Shop, own_cluster: Cluster, argocd: str, tmp_path: Path
) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", remote], check=True)
    url = f"file://{remote}"
    shop.forge(engine="argocd", install=False, source="external", url=url, secret="repository")
    refused = shop.program("deploy", "--yes")
    assert refused.returncode != 0
    assert "argocd.argoproj.io/secret-type=repository" in refused.stderr
    login = ("secret", "-n", argocd, "repository")
    own_cluster.kubectl("create", "secret", "generic", "-n", argocd, "repository", f"--from-literal=url={url}")
    own_cluster.kubectl("label", *login, "argocd.argoproj.io/secret-type=repository")

    missing = shop.program("deploy", "--yes", "--timeout", "15")
    assert missing.returncode != 0
    assert "`cluster-forge push` (with --git to a Git repository) sends what was cast last" in missing.stderr
    assert "; if v-" in missing.stderr

    well(shop.program("push", "--git"))
    well(shop.program("deploy", "--yes", "--timeout", "300"))
