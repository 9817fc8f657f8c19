"""``explain order``, ``wave`` and ``image``: why components come in their order, and where images are."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cli.conftest import Workspace

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: shop
components:
- {name: crds, manifests: [crds.yaml]}
- {name: web, namespace: web, manifests: [web.yaml]}
- {name: base, namespace: base, manifests: [base.yaml]}
- {name: late, namespace: late, wave: 5, needs: [base], manifests: [late.yaml]}
"""
CRDS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  scope: Namespaced
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
"""
WEB = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  priorityClassName: high
  containers: [{name: web, image: "docker.io/library/nginx:1.29"}]
"""
BASE = """\
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 1
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {a: b}
"""
LATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: l}\ndata: {a: b}\n"


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    files = {"config": DESCRIPTION, "crds": CRDS, "web": WEB, "base": BASE, "late": LATE}
    workspace.write({f"input/{name}.yaml": text for name, text in files.items()})
    return workspace


def components(shop: Workspace, *arguments: str) -> dict[str, Any]:
    return {one["name"]: one for one in shop.ok("explain", *arguments, "--format", "json").json["components"]}


def test_each_component_has_its_wave_and_what_it_comes_after(shop: Workspace) -> None:
    order = components(shop, "order")
    assert {name: one["wave"] for name, one in order.items()} == {
        "namespaces": -110,
        "crds": -100,
        "base": -90,
        "web": -80,
        "late": 5,
    }
    [base, crds] = order["web"]["after"]
    assert (base["name"], crds["name"], base["required"], base["named"]) == ("base", "crds", True, False)
    [reason] = base["reasons"]
    assert reason["object"] == "Pod/web/web"
    assert reason["dependsOn"] == "PriorityClass.scheduling.k8s.io/high"
    assert reason["field"] == "spec.priorityClassName"
    assert reason["template"].startswith("input/web.yaml:")
    assert order["base"]["before"] == ["late", "web"]
    assert order["late"]["why"] == "the description sets it"


def test_text_of_one_component_is_a_tree_with_templates(shop: Workspace) -> None:
    lines = shop.run("explain", "order", "web").out.splitlines()
    assert lines[0] == "web, wave -80: one step after base"
    assert lines[1] == "├─ after base, wave -90"
    assert lines[2].startswith("│  Pod/web/web names PriorityClass.scheduling.k8s.io/high (input/web.yaml:")
    assert lines[3] == "└─ after crds, wave -100"


@pytest.mark.parametrize(
    ("format_name", "first", "arrow"),
    [("dot", "digraph order {", '  "late" -> "base";'), ("mermaid", "flowchart RL", "  c4 --> c2")],
)
def test_graphs_have_the_arrows(shop: Workspace, format_name: str, first: str, arrow: str) -> None:
    lines = shop.run("explain", "order", "--format", format_name).out.splitlines()
    assert lines[0] == first
    assert arrow in lines


def test_a_wave_is_named_by_its_number_or_a_component(shop: Workspace) -> None:
    for name in ("-80", "web"):
        assert list(components(shop, "wave", name)) == ["web"]
    assert "wave -80" in shop.run("explain", "wave", "-80").out


def test_an_image_has_its_fields(shop: Workspace) -> None:
    [place] = shop.ok("explain", "image", "nginx", "--format", "json").json["places"]
    assert place["image"] == "docker.io/library/nginx:1.29"
    assert (place["component"], place["object"]) == ("web", "Pod/web/web")
    assert place["field"] == "spec.containers[0].image"
    assert "spec.containers[0].image (input/web.yaml:" in shop.run("explain", "image", "nginx").out


def test_an_image_has_the_values_that_set_it(workspace: Workspace) -> None:
    chart = {
        "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        "values.yaml": "image: {repository: example.com/shop/web, tag: '1.0'}\nother: example.com/other\n",
        "templates/web.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n"
        '  - {name: web, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"}\n'
        "  - {name: own, image: example.com/fixed:1}\n",
    }
    description = (
        "apiVersion: cluster-forge/v1\nkind: Stack\nname: shop\ngitops: {engine: none}\ncomponents:\n"
        "- name: web\n  namespace: web\n  helm: {chart: ./charts/web}\n  values:\n    image: {tag: '2.0'}\n"
    )
    workspace.write(
        {f"input/charts/web/{name}": text for name, text in chart.items()} | {"input/config.yaml": description}
    )
    workspace.ok("mine")
    places = workspace.ok("explain", "image", "example.com", "--format", "json").json["places"]
    assert {place["image"]: place["values"] for place in places} == {
        "example.com/fixed:1": [],
        "example.com/shop/web:2.0": [
            {"path": "values.image.repository", "where": ""},
            {"path": "values.image.tag", "where": "input/config.yaml:10"},
        ],
    }
    lines = workspace.run("explain", "image", "shop/web").out.splitlines()
    assert "    set by values.image.repository (default of the chart)" in lines
    assert "    set by values.image.tag (input/config.yaml:10)" in lines


def test_an_object_says_what_it_depends_on_and_what_depends_on_it(shop: Workspace) -> None:
    document = shop.ok("explain", "priorityclass/high", "--format", "json").json
    assert [edge["object"] for edge in document["usedBy"]] == ["Pod/web/web"]
    lines = shop.run("explain", "pod/web").out.splitlines()
    assert "    PriorityClass.scheduling.k8s.io/high: names it, spec.priorityClassName" in lines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("order", "wbe"), "the stack has no component 'wbe', did you mean 'web'?"),
        (("wave", "7"), "the stack has no wave 7"),
        (("image", "ngnix"), "the stack has no image 'ngnix'"),
    ],
)
def test_unknown_names_are_errors(shop: Workspace, arguments: tuple[str, ...], message: str) -> None:
    result = shop.run("explain", *arguments)
    assert result.code != 0
    assert message in result.err
