"""Many new CRDs under an Argo CD that is at work: it gets them from `deploy`, and does not read its schemas for each one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.e2e.cluster import Cluster
from tests.e2e.stacks import NAME, Shop, everything_is_ready

pytestmark = pytest.mark.e2e
CRDS = 40
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"


def operator() -> str:
    """CRDs, and a Deployment that stands for their operator."""
    labels = {"app": "operator"}
    pod = {"containers": [{"name": "operator", "image": "registry.example.com/operator:1.0.0"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "operator"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    return yaml.safe_dump_all([*map(definition, range(CRDS)), deployment])


def definition(number: int) -> dict[str, object]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {
        "kind": f"Many{number}",
        "plural": f"many{number}s",
        "singular": f"many{number}",
        "listKind": f"Many{number}List",
    }
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"many{number}s.many.example.com"},
        "spec": {"group": "many.example.com", "scope": "Cluster", "names": names, "versions": versions},
    }


def test_argo_cd_finds_them_synced(own_cluster: Cluster, argocd: str, tmp_path: Path) -> None:
    shop = Shop(workspace=tmp_path / "workspace", cluster=own_cluster)
    shop.forge(engine="argocd", install=False)
    own_cluster.kubectl("apply", "--server-side", "-n", argocd, "-f", shop.stack / "bootstrap" / "argocd-settings.yaml")
    shop.succeeds("deploy", "--yes", "-q", "--timeout", "300")
    log = tmp_path / "argocd-application-controller.log"
    assert "Invalidated cluster" not in log.read_text(), "it has no reason to look again"

    shop.forge(engine="argocd", install=False, more={"operator": operator()})
    shop.succeeds("deploy", "--yes", "-q", "--timeout", "300")
    assert everything_is_ready(own_cluster)
    crds = own_cluster.get(f"{APPLICATIONS}/{NAME}.crds.1")
    assert crds["status"]["sync"]["status"] == "Synced"
    assert "operationState" not in crds["status"], "there was nothing to sync"
    assert "Invalidated cluster" in log.read_text()
    assert not own_cluster.get(f"/api/v1/namespaces/{argocd}/secrets/cluster-forge-refresh")
    shop.succeeds("status")
    shop.succeeds("remove", "--yes", "-q")
    assert not own_cluster.get("/api/v1/namespaces/operator")
