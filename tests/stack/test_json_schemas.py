from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster_forge.catalog.file_formats import SCHEMAS
from cluster_forge.stack import json_schemas
from cluster_forge.yaml import positioned_reader

PROJECT = Path(__file__).resolve().parents[2]

EVERYTHING = """\
apiVersion: cluster-forge/v1
kind: Stack
name: platform
extends: [../base.yaml]
target:
  kubernetes: "1.33"
  size: small
  architectures: [amd64, arm64]
  nodes:
  - {count: 3, cpu: 16, memory: 64Gi, storage: 500Gi, resources: {amd.com/gpu: 8}, labels: {}, taints: []}
gitops: {engine: argocd, mode: ui, install: true, source: external, persistent: false, url: https://git.example.com/p.git, finalizers: true}
image: {repository: registry.example.com/team/platform, compression: gzip, base: ""}
components:
- monitoring
- {name: grafana, version: 12.11.1, values: {replicas: 2, gone: null}, valuesFiles: [grafana/values.yaml]}
- name: shop
  namespace: shop
  extraNamespaces: [shop-jobs]
  wave: 20
  needs: [cert-manager]
  helm: {repository: https://charts.example.com, chart: shop, version: 1.2.3, release: shop}
  sizes: {small: {replicas: 1}, large: {replicas: 3}}
  exclude: [Job_migrate.yaml]
- {name: extras, namespace: extras, manifests: [https://example.com/crds.yaml, extras/], laterReplaces: true, keepNamespace: true}
define:
- name: shop-lite
  helm: {chart: ./charts/shop-lite}
  upstream: {folder: x/manifests/sourced, namespace: x, helm: {chart: x, repository: oci://example.com/x}, exclude: [a.yaml]}
collections: {monitoring: [kube-prometheus-stack, loki]}
checks: {ignore: [{code: unpinned-image, component: shop, object: "", reason: ours}]}
environments: {production: {target: {size: large, nodes: null}}}
"""


def test_the_schemas_in_the_repository_are_current() -> None:
    for name, text in json_schemas.texts({**json_schemas.FILES, **SCHEMAS}):
        assert (PROJECT / "schemas" / name).read_text(encoding="utf-8") == text, "run `python tools/schemas.py`"


def validator(name: str) -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((PROJECT / "schemas" / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("stack.schema.json", EVERYTHING),
        (
            "stack-list.schema.json",
            "- {name: a, namespaces: [a, b], manifestpath: a, syncwave: -1}\n- {name: b, collection: [a]}",
        ),
        (
            "source.schema.json",
            "{name: a, helm-chart-name: a, helm-url: https://x, values: v.yaml, source-exclusions: [b]}",
        ),
    ],
)
def test_valid_files_fit_their_schema(name: str, text: str) -> None:
    assert not list(validator(name).iter_errors(positioned_reader.read(text.encode(), "f").value))


def test_every_value_may_be_a_reference() -> None:
    text = EVERYTHING
    for change in (
        ("extends: [../base.yaml]", "vars: {a: 20, list: [a], none: null}"),
        ("size: small", "size: '${size}'"),
        ("wave: 20", "wave: ${wave}"),
        ("namespace: shop\n", "namespace: ${ns}\n"),
        (
            "laterReplaces: true",
            "laterReplaces: '${{ size == \"large\" }}', replicas: {web: '${n}'}, labels: '${list}'",
        ),
        ("count: 3", "count: '${n}'"),
        ("exclude: [Job_migrate.yaml]", "exclude: ${list}"),
    ):
        assert change[0] in text
        text = text.replace(*change)
    assert not list(validator("stack.schema.json").iter_errors(positioned_reader.read(text.encode(), "f").value))


@pytest.mark.parametrize(
    "change",
    [
        ("apiVersion: cluster-forge/v1\n", ""),
        ("size: small", "size: tiny"),
        ("wave: 20", "wav: 20"),
        ("wave: 20", "wave: $20"),
        ("extends: [../base.yaml]", "vars: '${x}'"),
        ("name: shop\n", "name: Shop\n"),
        ("- monitoring", "- 5"),
    ],
)
def test_invalid_files_do_not_fit_their_schema(change: tuple[str, str]) -> None:
    text = EVERYTHING.replace(*change)
    assert text != EVERYTHING
    assert list(validator("stack.schema.json").iter_errors(positioned_reader.read(text.encode(), "f").value))
