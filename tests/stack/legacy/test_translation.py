from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster_forge.stack.component import HelmSource, Upstream
from cluster_forge.stack.model import Format, Notice

Legacy = Callable[..., Any]

LIST = """\
- name: routing
  collection:
  - gateway
  - certs
- name: gateway
  namespaces: [gateway-system, more]
  syncwave: -200
  manifestpath: /gateway/manifests/sourced/
  sourced-exclude: [Job_a.yaml]
- name: certs
  namespace: "certs"
  skip-namespace: true
  manifestpath:
  - gateway/manifests/sourced
  - certs/one.yaml
- name: chart
  namespace: chart
  namespaces: [chart, extra]
  syncwave: "7"
  helm-chart-name: oci://example.com/charts/queue
  helm-url: ""
  helm-version: 0.10
  values-file: chart.yaml
  helm-values: {a: 1}
- name: local
  helm-chart-name: charts/local
  helm-name: l
  helm-values: |
    b: 2
- name: listed
  helm-chart-name: loki
  helm-url: https://example.com/charts
  helm-values: values.yaml
  manifest-url: https://example.com/crds.yaml
"""
FILES = {
    "gateway/manifests/sourced/a.yaml": "",
    "gateway/source.yaml": "name: gw\nnamespace: gw-system\nmanifest-url: https://example.com/install.yaml \nsource-exclusions: Job_b.yaml\n",
    "certs/one.yaml": "",
    "certs/source.yaml": "name: certs\nnamespace: ''\nhelm-chart-name: certs\nhelm-url: https://example.com\nhelm-version: v1.10\nhelm-name: c\nvalues: v.yaml\n",
    "chart/chart.yaml": "from: file\n",
    "charts/local/Chart.yaml": "",
    "listed/values.yaml": "c: 3\n",
    "core.yaml": "- name: routing\n- name: local\n",
}


def names(loaded: Any) -> list[str]:
    return [component.name for component in loaded.stack.components]


def test_without_a_selection_the_whole_list_is_the_stack(legacy: Legacy) -> None:
    loaded = legacy(LIST, FILES).load()
    assert loaded.format is Format.LIST
    assert loaded.stack.name == "stack"
    assert names(loaded) == ["gateway", "certs", "chart", "local", "listed"]


@pytest.mark.parametrize(
    ("options", "selected"),
    [
        ({"select": ["core.yaml"]}, ["gateway", "certs", "local"]),
        ({"names": ["local", "routing"]}, ["local", "gateway", "certs"]),
        ({"select": ["core.yaml"], "skip": ["certs"]}, ["gateway", "local"]),
        ({"skip": ["routing"]}, ["chart", "local", "listed"]),
    ],
)
def test_a_selection_is_the_stack(legacy: Legacy, options: dict[str, Any], selected: list[str]) -> None:
    assert names(legacy(LIST, FILES).load(**options)) == selected


def test_every_key_is_translated(legacy: Legacy) -> None:
    stack = legacy(LIST, FILES).load().stack
    gateway = stack.component("gateway")
    assert (gateway.namespace, gateway.extra_namespaces, gateway.wave) == ("gateway-system", ("more",), -200)
    assert (gateway.manifests, gateway.exclude) == (("gateway/manifests/sourced",), ("Job_a.yaml",))
    assert gateway.upstream == Upstream(
        folder="gateway/manifests/sourced",
        namespace="gw-system",
        manifests=("https://example.com/install.yaml",),
        exclude=("Job_b.yaml",),
    )
    certs = stack.component("certs")
    assert (certs.namespace, certs.keep_namespace, certs.later_replaces) == ("certs", True, True)
    assert certs.upstream == gateway.upstream
    chart = stack.component("chart")
    assert chart.helm == HelmSource(
        repository="oci://example.com/charts", chart="queue", version="0.10", release="chart"
    )
    assert (chart.values, chart.wave, chart.extra_namespaces) == ({"from": "file", "a": 1}, 7, ("extra",))
    local = stack.component("local")
    assert local.helm == HelmSource(chart="charts/local", release="l")
    assert local.values == {"b": 2}
    listed = stack.component("listed")
    assert listed.values == {"c": 3}
    assert listed.manifests == ("https://example.com/crds.yaml",)
    assert listed.where == "input/config.yaml:30"


def test_a_source_in_the_folder_of_the_component_is_read(legacy: Legacy) -> None:
    files = {**FILES, "certs/manifests/a.yaml": "", "certs/v.yaml": "a: 1"}
    stack = legacy("- {name: certs, manifestpath: certs/manifests}\n", files).load().stack
    assert stack.component("certs").upstream == Upstream(
        folder="certs/manifests/sourced",
        helm=HelmSource(repository="https://example.com", chart="certs", version="v1.10", release="c"),
        values={"a": 1},
    )


def test_an_unused_source_gives_a_notice(legacy: Legacy) -> None:
    loaded = legacy("- {name: certs, manifestpath: certs/one.yaml}\n", FILES).load()
    assert loaded.stack.component("certs").upstream is None
    assert loaded.notices == (
        Notice(
            code="unused-source",
            message="unused: input/certs/source.yaml describes certs/manifests/sourced, which is not in `manifestpath`",
            component="certs",
            where="input/config.yaml:1",
        ),
    )


def test_origins_point_into_the_list(legacy: Legacy) -> None:
    loaded = legacy(LIST, FILES).load(select=["core.yaml"])
    assert loaded.effective["components"] == ["routing", "local"]
    assert loaded.origins["components", 1] == "input/core.yaml:2"
    assert loaded.origins["define", 0, "upstream", "manifests", 0] == "input/gateway/source.yaml:3"
    assert loaded.origins["define", 1, "manifests", 1] == "input/config.yaml:15"
    assert loaded.origins["collections", "routing", 1] == "input/config.yaml:4"


def test_several_documents_are_one_list(legacy: Legacy) -> None:
    assert names(
        legacy("- {name: a, manifestpath: a}\n---\n- {name: b, manifestpath: a}\n", {"a/a.yaml": ""}).load()
    ) == ["a", "b"]


@pytest.mark.parametrize(
    ("description", "errors"),
    [
        (
            "- {name: a, manifestpath: [none, empty, a]}",
            ["1: a: input/none does not exist", "1: a: input/empty contains no YAML files"],
        ),
        (
            "- {name: a, manifestpath: a}\n- {name: a, manifestpath: a}",
            ["2: duplicate component 'a': already defined at input/config.yaml:1"],
        ),
        (
            "- {name: a, collection: []}\n- {name: a, collection: []}",
            ["2: duplicate collection 'a': already defined at input/config.yaml:1"],
        ),
        (
            "- {name: a, manifestpath: a}\n- {name: a, collection: []}",
            ["2: duplicate name 'a': a component has the same name at input/config.yaml:1"],
        ),
        (
            "- {name: a, collection: [b]}\n- {name: b, collection: [a, aa]}",
            [
                "2: collection b contains the unknown name 'aa', did you mean 'a'?",
                "2: collection cycle: a → b → a",
            ],
        ),
        (
            "- {name: a, collection: [], namespace: x}",
            ["1: a: a collection has only `name` and `collection`, not 'namespace'"],
        ),
        ("- {name: a, manifest-path: a}", ["1: a: unknown key 'manifest-path', did you mean 'manifestpath'?"]),
        ("- manifestpath: a", ["1: [0]: 'name' is missing"]),
        ("- a", ["1: a stack description must be a mapping, not a list of names (a)"]),
        ("- {name: b, manifestpath: a}\n- a", ["2: [1]: must be a mapping, not 'a'"]),
        ("- {name: a}", ["1: a: has neither `helm` nor `manifests` nor `kustomize`"]),
        (
            "- {name: a, manifestpath: a, namespace: A_}",
            [
                "1: a.namespace: 'A_' is not a DNS label: lower-case letters, digits and hyphens, at most 63, no hyphen at the ends"
            ],
        ),
        ("- {name: a, manifestpath: a, syncwave: soon}", ["1: a.syncwave: must be a whole number, not 'soon'"]),
        (
            "- {name: a, manifestpath: a, skip-namespace: maybe}",
            ["1: a.skip-namespace: must be true or false, not 'maybe'"],
        ),
        ("- {name: a, manifestpath: a, helm-url: x}", ["1: `helm-url` without `helm-chart-name`"]),
        (
            "- {name: a, helm-chart-name: a, helm-url: https://x, helm-values: 'b: ['}",
            ["1: a: helm-values is not YAML: a value is missing here"],
        ),
        (
            "- {name: a, helm-chart-name: a, helm-url: https://x, helm-values: b}",
            ["1: a: helm-values must be a mapping or the name of a .yaml file"],
        ),
    ],
)
def test_invalid_entries_are_errors(legacy: Legacy, description: str, errors: list[str]) -> None:
    files = {"a/a.yaml": "", "empty/README": ""}
    assert legacy(description, files).errors() == [f"input/config.yaml:{error}" for error in errors]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("name: [", "source.yaml:1: a value is missing here"),
        ("name: a\nvalue: x", "source.yaml:2: unknown key 'value', did you mean 'values'?"),
        (
            "name: a\nvalues: v.yaml\nhelm-chart-name: a\nhelm-url: https://x",
            "source.yaml:2: a: values file input/a/v.yaml does not exist",
        ),
        ("name: a", "source.yaml:1: a: `upstream` has neither `helm` nor `manifests`"),
    ],
)
def test_invalid_sources_are_errors(legacy: Legacy, source: str, error: str) -> None:
    messages = legacy("- {name: a, manifestpath: a/manifests/sourced}", {"a/source.yaml": source}).errors()
    assert messages == [f"input/a/{error}"]


def test_errors_of_components_that_are_not_selected_are_ignored(legacy: Legacy) -> None:
    description = "- {name: good, manifestpath: a}\n- {name: broken, manifestpath: none}\n"
    workspace = legacy(description, {"a/a.yaml": "", "s.yaml": "- name: good\n- name: god\n", "none.yaml": "[]"})
    assert names(workspace.load(skip=["broken"])) == ["good"]
    assert names(workspace.load(names=["good"])) == ["good"]
    assert workspace.errors(select=["s.yaml"], skip=["brocken"]) == [
        "input/s.yaml:2: unknown component or collection 'god', did you mean 'good'?",
        "unknown component or collection 'brocken', did you mean 'broken'?",
    ]
    assert workspace.errors(select=["none.yaml"]) == ["input/none.yaml:1: a selection must be a list of names"]


def test_a_list_has_no_environments(legacy: Legacy) -> None:
    assert legacy("- {name: a, manifestpath: a}", {"a/a.yaml": ""}).errors(environment="prod") == [
        "input/config.yaml: unknown environment 'prod'"
    ]


@pytest.mark.corpus
def test_the_real_list_has_one_error(corpus: Path, on_disk: Callable[[Path], Any]) -> None:
    workspace = on_disk(corpus / "v1-input")
    line = (corpus / "v1-input" / "config.yaml").read_text().splitlines().index("- name: rabbitmq-airm-config") + 4
    assert workspace.errors() == [
        f"input/config.yaml:{line}: rabbitmq-airm-config: input/rabbitmq-airm-config does not exist"
    ]
    loaded = workspace.load(skip=["rabbitmq-airm-config"])
    assert len(loaded.stack.components) == 53
    assert [notice.component for notice in loaded.notices] == ["keycloak"]
    lgtm = loaded.stack.component("otel-lgtm-stack")
    assert lgtm.manifests[0] == "otel-lgtm-stack/kube-state-metrics/kube-state-metrics-manifests.yaml"
    upstream = loaded.stack.component("kueue-onenode").upstream
    assert upstream is not None
    assert upstream.helm == HelmSource(
        repository="oci://registry.k8s.io/kueue/charts", chart="kueue", version="0.12.3", release="kueue"
    )
