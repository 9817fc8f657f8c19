"""Variables of a description: typed, from every layer, with errors at the reference."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cluster_forge.catalog.dependencies import StackCatalog
from cluster_forge.catalog.library import packaged
from cluster_forge.stack import effective, name_scan
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.parse import ParsedDescription, parse_description
from cluster_forge.stack.selection import Selection
from cluster_forge.stack.variables.expansion import escaped
from cluster_forge.stack.variables.options import GivenVariables, VariableOptions

if TYPE_CHECKING:
    from tests.stack.conftest import Workspace

Native = Callable[..., "Workspace"]
SHOP = """\
components:
- name: shop
  namespace: shop
  helm: {chart: ./shop}
  values:
"""
CHART = {"shop/Chart.yaml": ""}


def values(workspace: Workspace, **selection: Any) -> Any:
    return workspace.load(**selection).stack.component("shop").values


def chosen(*settings: str) -> tuple[GivenVariables, ...]:
    return VariableOptions(set=settings).settings


def test_a_text_that_is_one_reference_has_its_type(native: Native) -> None:
    variables = "vars: {i: 3, f: 0.5, b: true, t: text, l: [1, {a: x}], m: {a: 1}}\n"
    lines = "".join(f"    {name}1: ${{{name}}}\n    {name}2: '${{{name}}}'\n" for name in "ifbtlm")
    found = values(native(variables + SHOP + lines, CHART))
    expected = {"i": 3, "f": 0.5, "b": True, "t": "text", "l": [1, {"a": "x"}], "m": {"a": 1}}
    assert found == {f"{name}{number}": value for name, value in expected.items() for number in (1, 2)}
    assert {type(found[f"{name}1"]) for name in "ifbt"} == {int, float, bool, str}


def test_inside_text_a_value_becomes_text_as_it_is_written(native: Native) -> None:
    text = "vars: {tag: 1.10, mode: 0755, yes_: yes}\n" + SHOP + "    a: 'x:${tag} ${mode} ${yes_} $${tag} $$${tag}'\n"
    assert values(native(text, CHART)) == {"a": "x:1.10 0755 true ${tag} $${tag}"}


def test_variables_refer_to_each_other_in_any_order(native: Native) -> None:
    text = "vars: {url: 'https://${host}:${port}', host: 'web.${domain}', port: 80}\ntarget: {domain: example.com}\n"
    assert values(native(text + SHOP + "    a: ${url}\n", CHART)) == {"a": "https://web.example.com:80"}


def test_the_target_and_variables_refer_to_each_other(native: Native) -> None:
    described = native(
        "vars: {tier: large, replicas: \"${{ target.size == 'large' ? 3 : 1 }}\", minor: '${{ target.minor }}'}\n"
        "target: {size: '${tier}', kubernetes: '1.34'}\n" + SHOP + "    a: ${replicas}\n    b: ${minor}\n",
        CHART,
    )
    assert described.load().stack.target.size == "large"
    assert values(described) == {"a": 3, "b": 34}


def test_any_key_may_have_a_reference(native: Native) -> None:
    text = """\
vars: {wave: 7, ns: apps, repo: registry.example.com/x, skip: true, path: ./shop}
image: {repository: "${repo}"}
components:
- name: shop
  namespace: ${ns}
  wave: ${wave}
  keepNamespace: ${skip}
  helm: {chart: "${path}"}
"""
    stack = native(text, CHART).load().stack
    component = stack.component("shop")
    assert (component.namespace, component.wave, component.keep_namespace) == ("apps", 7, True)
    assert component.helm is not None
    assert component.helm.chart == "shop"
    assert stack.image.repository == "registry.example.com/x"


def test_an_expression_knows_the_component_and_what_others_provide(native: Native) -> None:
    text = """\
vars: {a: 1}
components:
- loki
- minio-tenant
- name: grafana
  values:
    own: "${{ component.namespace + '/' + component.name }}"
    url: "${{ provides.loki.push }}"
    store: "${{ provides['object-storage'].endpoint }}"
    none: "${{ 'tempo' in provides }}"
"""
    workspace = native(text)
    files = InputFiles(workspace.read, workspace.list_files)
    grafana = parse_description(files, Selection(), StackCatalog(packaged())).stack.component("grafana").values
    assert grafana["own"] == "grafana/grafana"
    assert grafana["url"] == "http://loki-gateway.loki.svc.cluster.local/loki/api/v1/push"
    assert grafana["store"] == "http://minio.minio-tenant-default.svc.cluster.local:80"
    assert grafana["none"] is False


def test_environments_and_the_command_line_win_in_that_order(native: Native) -> None:
    text = "vars: {a: 1, b: 1, c: 1, d: 1}\nenvironments: {prod: {vars: {b: 2, c: 2, d: 2}}}\n" + SHOP
    workspace = native(text + "    x: ['${a}', '${b}', '${c}', '${d}']\n", CHART)
    file = GivenVariables(place="prod.yaml", text="c: 3\nd: 3\n")
    assert values(workspace)["x"] == [1, 1, 1, 1]
    assert values(workspace, environment="prod")["x"] == [1, 2, 2, 2]
    assert values(workspace, environment="prod", given=(file, *chosen("d=four")))["x"] == [1, 2, 3, "four"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("a=3", 3), ("a=1.5", 1.5), ("a=true", True), ("a=", ""), ("a=x=y", "x=y"), ("a='3'", "3"), ("a=[1, 2]", [1, 2])],
)
def test_a_setting_is_read_as_yaml(native: Native, setting: str, value: Any) -> None:
    workspace = native("vars: {a: }\n" + SHOP + "    x: ${a}\n", CHART)
    found = values(workspace, given=chosen(setting))["x"]
    assert found == value
    assert type(found) is type(value)


def test_without_vars_nothing_is_a_reference(native: Native) -> None:
    workspace = native(SHOP + "    a: '${DS_PROMETHEUS} $${x} ${{ y }}'\n", CHART)
    assert values(workspace) == {"a": "${DS_PROMETHEUS} $${x} ${{ y }}"}
    assert "vars" not in workspace.load().effective


def test_the_catalog_s_own_texts_are_not_touched(native: Native) -> None:
    workspace = native("vars: {a: 1}\ncomponents: [grafana, {name: loki, objects: [{kind: X, a: '${a}'}]}]\n")
    plain = native("components: [grafana, {name: loki, objects: [{kind: X, a: 1}]}]\n")

    def load(described: Workspace) -> ParsedDescription:
        files = InputFiles(described.read, described.list_files)
        return parse_description(files, Selection(), StackCatalog(packaged()))

    with_variables, without = load(workspace), load(plain)
    for one, other in zip(with_variables.stack.components, without.stack.components, strict=True):
        assert (one.values, one.objects) == (other.values, other.objects)
    assert with_variables.digest == without.digest


ERRORS = [
    ("    a: ${replcas}\n", "10:8: unknown variable 'replcas', did you mean 'replicas'?"),
    ("    a: 'x ${list}'\n", "10:11: ${list} is a list, which cannot be inside a text"),
    ("    a: ${HOME:-x}\n", "10:8: ${HOME:-x} is not the name of a variable"),
    ("    a: ${must}\n", "10:8: the variable 'must' has no value"),
    ("    a: |\n      x\n      ${{ siez }}\n", "12:11: `siez`: unknown name 'siez', did you mean 'size'?"),
    ("    a: ${target}\n", "10:8: 'target' is not a variable"),
    ("    a: ${{ vars.must }}\n", "10:12: the variable 'must' has no value"),
    ("    a: \"${{ replicas + 'é' }}\"\n", None),
]


@pytest.mark.parametrize(("line", "expected"), ERRORS)
def test_an_error_points_at_the_reference(native: Native, line: str, expected: str | None) -> None:
    (error,) = native("vars: {replicas: 3, list: [1], must: }\n" + SHOP + line, CHART).errors()
    assert error.startswith("input/config.yaml:1")
    if expected:
        assert error == f"input/config.yaml:{expected}"


def test_all_errors_come_together(native: Native) -> None:
    lines = "".join(line.replace("    a:", f"    a{number}:") for number, (line, _) in enumerate(ERRORS))
    found = native("vars: {replicas: 3, list: [1], must: }\n" + SHOP + lines, CHART).errors()
    assert len(found) == len(ERRORS)
    assert [error.split(":")[1] for error in found] == sorted(error.split(":")[1] for error in found)


@pytest.mark.parametrize(
    ("variables", "cycle"),
    [
        ("{a: '${a}'}", "a → a"),
        ("{a: 'x${b}', b: '${{ c + 1 }}', c: '${{ vars.a }}'}", "a → b → c → a"),
        ("{a: {x: ['${b}']}, b: '${a}'}", "a → b → a"),
        ("{a: '${{ target.domain }}'}", "a → target → a"),
    ],
)
def test_a_cycle_is_shown_once(native: Native, variables: str, cycle: str) -> None:
    text = f"vars: {variables}\ntarget: {{domain: '${{a}}.x'}}\n" + SHOP + "    a: ${a}\n"
    errors = native(text, CHART).errors()
    assert [error for error in errors if "cycle" in error] == errors[:1]
    assert f"variables refer to each other in a cycle: {cycle}" in errors[0]


def test_long_chains_and_large_values_are_errors(native: Native) -> None:
    chain = ", ".join(f"a{number}: '${{a{number + 1}}}'" for number in range(300))
    errors = native(f"vars: {{{chain}, a300: 1}}\n" + SHOP + "    a: ${a0}\n", CHART).errors()
    assert any("more than 50 variables refer to each other in a row" in error for error in errors)
    bomb = ", ".join(f"b{number}: '{f'${{b{number + 1}}}' * 10}'" for number in range(9))
    errors = native(f"vars: {{{bomb}, b9: xxxxxxxxxx}}\n" + SHOP + "    a: ${b0}\n", CHART).errors()
    assert any("bytes (limit 65,536)" in error for error in errors)
    uses = "".join(f"    a{number}: ${{big}}\n" for number in range(400))
    errors = native(f"vars: {{big: {'x' * 60_000}}}\n" + SHOP + uses, CHART).errors()
    assert any("variables add more than 8 MiB" in error for error in errors)


def test_expressions_are_limited_together(native: Native) -> None:
    long = "x" * 60_000
    uses = "".join(f"    a{number}: '${{{{ size(long) }}}}'\n" for number in range(600))
    (error,) = native(f"vars: {{long: {long}}}\n" + SHOP + uses, CHART).errors()
    assert "more than 5,000 expressions in one description, or 32 MiB of values in them" in error
    uses = "".join(f"    a{number}: '${{{{ 1 }}}}'\n" for number in range(5001))
    (error,) = native("vars: {a: 1}\n" + SHOP + uses, CHART).errors()
    assert "more than 5,000 expressions" in error


def test_numbers_of_more_than_64_bits_are_kept_and_not_computed_with(native: Native) -> None:
    text = "vars: {a: 100000000000000000000, b: 9223372036854775807}\n" + SHOP
    assert values(native(text + "    a: ${a}\n    b: '${{ b }}'\n", CHART)) == {
        "a": 10**20,
        "b": 2**63 - 1,
    }
    (error,) = native(text + "    a: ${{ a }}\n", CHART).errors()
    assert error == "input/config.yaml:10:12: `a`: a number in 'a' has more than 64 bits"


@pytest.mark.parametrize("variables", ["'${x}'", "[a]", "3"])
def test_vars_must_be_a_mapping(native: Native, variables: str) -> None:
    errors = native(f"vars: {variables}\n" + SHOP + "    a: 1\n", CHART).errors()
    assert "must be a mapping" in errors[0]


def test_null_removes_the_variables_of_lower_layers(native: Native) -> None:
    workspace = native("vars: {a: 1}\nenvironments: {none: {vars: null}}\n" + SHOP + "    a: ${a}\n", CHART)
    assert values(workspace) == {"a": 1}
    assert values(workspace, environment="none") == {"a": "${a}"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my-name", "'my-name' cannot be the name of a variable: letters, digits and underscores"),
        ("1a", "'1a' cannot be the name of a variable"),
        ("target", "'target' cannot be the name of a variable: expressions have another use for it"),
        ("namespace", "'namespace' cannot be the name of a variable"),
    ],
)
def test_names_that_expressions_cannot_say_are_refused(native: Native, name: str, message: str) -> None:
    for variables in (f"vars: {{{name}: 1}}\n", f"vars: {{{name}: }}\n"):
        (error,) = native(variables + SHOP + "    a: 1\n", CHART).errors()
        assert message in error


def test_what_the_command_line_gives_must_be_declared(native: Native) -> None:
    workspace = native("vars: {replicas: 1}\n" + SHOP + "    a: 1\n", CHART)
    assert workspace.errors(given=chosen("replcas=1", "replicas=[")) == [
        "--set replcas: the description declares no variable 'replcas', did you mean 'replicas'?",
        "--set replicas: a value is missing here",
    ]
    (error,) = native(SHOP + "    a: 1\n", CHART).errors(given=chosen("a=1"))
    assert "the description declares no variable 'a'" in error
    (error,) = workspace.errors(given=(GivenVariables(place="v.yaml", text="- a\n"),))
    assert error == "v.yaml:1: a file of variables must be a mapping"


def test_a_list_in_the_legacy_format_has_no_variables(legacy: Callable[..., Workspace]) -> None:
    (error,) = legacy("- name: a\n  namespace: a\n  manifestpath: a.yaml\n", {"a.yaml": ""}).errors(given=chosen("a=1"))
    assert error.endswith("--set a: a list in the legacy format has no variables")


def test_a_value_of_the_wrong_type_is_an_error_of_its_key(native: Native) -> None:
    text = "vars: {wave: text, size: huge}\ntarget: {size: '${size}'}\n" + SHOP.replace(
        "  helm", "  wave: ${wave}\n  helm"
    )
    errors = native(text + "    a: 1\n", CHART).errors()
    assert any("target.size: must be one of small, medium, large, not 'huge'" in error for error in errors)


def test_an_unused_definition_may_ask_for_what_is_not_there(native: Native) -> None:
    text = "vars: {a: 1}\ndefine:\n- name: other\n  helm: {chart: ./shop}\n  values: {a: '${{ provides.loki.push }}'}\n"
    assert values(native(text + SHOP + "    a: ${a}\n", CHART)) == {"a": 1}


def test_files_are_expanded_only_where_the_component_says_so(native: Native) -> None:
    files = {**CHART, "v.yaml": "a: ${a}\nb: '${{ component.name }}'\n"}
    component = SHOP.replace("  values:\n", "  valuesFiles: [v.yaml]\n")
    assert values(native("vars: {a: 3}\n" + component, files)) == {"a": "${a}", "b": "${{ component.name }}"}
    workspace = native("vars: {a: 3}\n" + component + "  substitute: true\n", files)
    assert values(workspace) == {"a": 3, "b": "shop"}
    names = workspace.load().stack.component("shop").names
    assert names is not None
    assert names.variables["a"] == 3
    (error,) = native("vars: {b: 3}\n" + component + "  substitute: true\n", files).errors()
    assert error == "input/v.yaml:1:4: unknown variable 'a'"


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
DOLLARS = st.lists(st.sampled_from(["$", "{", "}", "a", "${", "$${", "${{"]), max_size=6).map("".join)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | PLAIN | DOLLARS
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3), max_leaves=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(value="${x}", inside="$${")
@given(value=TREES, inside=DOLLARS)
def test_the_effective_description_is_the_same_stack(native: Native, value: Any, inside: str) -> None:
    variables = json.dumps({"v": escaped(value), "other": 1}, ensure_ascii=False)
    lines = f"    whole: ${{v}}\n    inside: {json.dumps(escaped(inside) + '|${other}')}\n"
    workspace = native(f"vars: {variables}\n" + SHOP + lines, CHART)
    if value is None:
        assert workspace.errors() == ["input/config.yaml:10:12: the variable 'v' has no value"]
        return
    first = workspace.load()
    assert first.stack.component("shop").values == {"whole": value, "inside": f"{inside}|1"}
    again = type(workspace)({**workspace.files, "input/config.yaml": effective.text(first.effective, {})}).load()
    assert again.effective == first.effective
    assert again.digest == first.digest
    assert again.stack.component("shop").values == first.stack.component("shop").values


def test_origins_say_where_a_variable_comes_from(native: Native) -> None:
    workspace = native("vars: {a: 1, b: 2, c: 3}\n" + SHOP + "    x: ${a}\n", CHART)
    file = GivenVariables(place="prod.yaml", text="\nb: 5\n")
    parsed = workspace.load(given=(file, *chosen("c=6")))
    assert [parsed.origins[("vars", name)] for name in "abc"] == ["input/config.yaml:4", "prod.yaml:2", "--set c"]
    assert parsed.effective["vars"] == {"a": 1, "b": 5, "c": 6}


CLUSTERS = """\
vars: {domain: example.com, replicas: 1, zone: }
clusters:
- {name: staging, environment: test}
- {name: eu-1, environment: prod, variables: {zone: eu, domain: 'eu.${zone}.example.com'}}
- {name: us-1, environment: prod, variables: {zone: us}}
environments: {test: {vars: {zone: none}}, prod: {vars: {replicas: 3}, target: {size: large}}}
"""


def test_a_cluster_has_variables_over_those_of_its_environment(native: Native) -> None:
    workspace = native(CLUSTERS + SHOP + "    a: '${domain} ${replicas} ${zone} ${size}'\n", CHART)
    assert values(workspace, environment="test") == {"a": "example.com 1 none small"}
    assert values(workspace, environment="eu-1") == {"a": "eu.eu.example.com 3 eu large"}
    assert values(workspace, environment="us-1", given=chosen("replicas=5")) == {"a": "example.com 5 us large"}
    parsed = workspace.load(environment="eu-1")
    assert parsed.stack.environment == "eu-1"
    assert {cluster.name: cluster.cast_for for cluster in parsed.fleet.clusters} == {
        "staging": "test",
        "eu-1": "eu-1",
        "us-1": "us-1",
    }
    again = type(workspace)({**workspace.files, "input/config.yaml": effective.text(parsed.effective, {})}).load()
    assert again.effective == parsed.effective
    (error,) = workspace.errors(environment="prod")
    assert error.endswith("the variable 'zone' has no value")
    assert name_scan.read(workspace.read, "eu-1").environments == ("test", "prod", "eu-1", "us-1")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("zone: us", "zoen: us", "the description declares no variable 'zoen', did you mean 'zone'?"),
        ("name: us-1", "name: prod", "clusters: 'prod' has variables, so `--environment prod` stands for it"),
        ("zone: us", "my-zone: us", "clusters[2].variables.my-zone: 'my-zone' cannot be the name of a variable"),
    ],
)
def test_wrong_variables_of_clusters_are_errors(native: Native, old: str, new: str, message: str) -> None:
    workspace = native(CLUSTERS.replace(old, new) + SHOP + "    a: ${domain}\n", CHART)
    assert any(error.startswith(f"input/config.yaml:8: {message}") for error in workspace.errors())


def test_variables_of_clusters_need_a_declaration(native: Native) -> None:
    (error,) = native("clusters: [{name: eu-1, variables: {zone: eu}}]\n" + SHOP + "    a: 1\n", CHART).errors()
    assert error == "input/config.yaml:4: the description declares no variable 'zone'"
