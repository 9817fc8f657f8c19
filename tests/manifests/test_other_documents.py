"""Documents that are not objects: what they are, and where they belong."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import normalize, other_documents
from cluster_forge.manifests.manifest import Provenance

FROM = Provenance(component=ComponentName("extra"), origin="input/extra/a.json:1")


@pytest.mark.parametrize(
    ("document", "what", "fix"),
    [
        ({"title": "Shop", "panels": [], "schemaVersion": 39}, "a Grafana dashboard", "move it out of `manifests`"),
        ({"dashboard": {"title": "Shop", "panels": []}, "overwrite": True}, "a Grafana dashboard", "move it out"),
        ({"__inputs": [], "rows": [], "schemaVersion": 14}, "a Grafana dashboard", "move it out of `manifests`"),
        ({"configMapGenerator": [{"name": "a"}]}, "a kustomization", "name its folder in `kustomize`"),
        ({"services": {"web": {"build": "."}}}, "a Docker Compose file", "convert it"),
        ({"repositories": [], "helmfiles": ["a.yaml"]}, "a helmfile", "write each release"),
        (
            {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"},
            "a kustomization",
            "name its folder in `kustomize`",
        ),
        (
            {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "metadata": {"name": "arbitrary"},
                "resources": ["a.yaml"],
            },
            "a kustomization",
            "name its folder in `kustomize`",
        ),
        ({"resources": ["a.yaml"], "namespace": "x"}, "a kustomization", "name its folder in `kustomize`"),
        ("Thank you for installing shop.", "text, as in a NOTES.txt or README", "remove the file"),
        ({"replicaCount": 2, "image": {"tag": "x"}}, "a file of Helm values", "name it in `valuesFiles`"),
        ({"resources": {"limits": {}}}, "a file of Helm values", "name it in `valuesFiles`"),
        (
            {"apiVersion": "v2", "name": "shop", "version": "1.0.0"},
            "the Chart.yaml of a Helm chart",
            "name the chart's folder",
        ),
        ({"services": {"web": {}}, "version": "3"}, "a Docker Compose file", "convert it"),
        ({"releases": [{"name": "a"}], "repositories": []}, "a helmfile", "write each release"),
        ({"groups": [{"name": "a", "rules": []}]}, "a file of Prometheus rules", "write them below `spec`"),
        ({"scrape_configs": []}, "a configuration of Prometheus or Alertmanager", "name it in `configMaps"),
        ({"$schema": "x", "properties": {}}, "a JSON schema", "move it"),
        ({"apiVersion": "v1", "kind": "Config", "clusters": []}, "a kubeconfig", "remove it"),
        ({"apiVersion": "kind.x-k8s.io/v1alpha4", "kind": "Cluster"}, "a configuration file of a program", "move it"),
        (
            {"apiVersion": "cluster-forge/v1", "kind": "Stack", "name": "a"},
            "a description of Cluster-Forge",
            "name it in",
        ),
        ([{"op": "add", "path": "/a", "value": 1}], "a JSON patch", "change the objects"),
        ([{"apiVersion": "v1", "kind": "ConfigMap"}], "a list of objects", "separate them"),
    ],
)
def test_known_documents_are_named(document: Any, what: str, fix: str) -> None:
    with pytest.raises(ManifestError) as caught:
        list(normalize.objects(document, FROM))
    assert caught.value.where == "input/extra/a.json:1"
    assert caught.value.message.startswith(f"component extra: not a Kubernetes object: it is {what}")
    assert (caught.value.fix or "").startswith(fix)
    assert (caught.value.fix or "").endswith("--skip extra")


@pytest.mark.parametrize(
    "document",
    [
        None,
        3,
        [],
        ["a"],
        {},
        {"replicas": 1},
        {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "a"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "resources": ["a"]},
        {"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Cluster", "metadata": {"name": "a"}},
    ],
)
def test_objects_and_unknown_documents_are_not(document: Any) -> None:
    assert other_documents.known(document) is None


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("values.yaml", "a file of Helm values"),
        ("values-prod.yml", "a file of Helm values"),
        ("shop-values.yaml", "a file of Helm values"),
        ("kustomization.yaml", "a kustomization"),
        ("docker-compose.override.yml", "a Docker Compose file"),
        ("helmfile.yaml", "a helmfile"),
    ],
)
def test_the_name_of_the_file_decides_where_the_content_does_not(name: str, what: str) -> None:
    known = other_documents.known({"a": 1}, f"input/extra/{name}:1")
    assert known is not None
    assert known.what == what


def test_the_name_does_not_decide_about_objects_and_unknown_files() -> None:
    assert other_documents.known({"apiVersion": "v1", "kind": "ConfigMap"}, "input/extra/values.yaml:1") is None
    assert other_documents.known({"a": 1}, "input/values/a.yaml:1") is None
