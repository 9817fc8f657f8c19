"""Messages about what people write who know other tools: each names the line to write, and none is false."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cluster_forge.foundation.errors import DescriptionError

Native = Callable[..., Any]
FILES = {"x.yaml": ""}


def raised(native: Native, description: str, files: dict[str, str] | None = None) -> DescriptionError:
    with pytest.raises(DescriptionError) as caught:
        native(description, FILES if files is None else files).load()
    return caught.value


@pytest.mark.parametrize(
    "settings", ["  values: {a: b}\n", "    values: {a: b}\n", "    manifests: [x.yaml]\n", "", "  wave: 3\n"]
)
def test_a_name_as_a_key_is_one_error(native: Native, settings: str) -> None:
    error = raised(native, f"components:\n- grafana:\n{settings}")
    assert (error.where, error.message) == ("input/config.yaml:5", "components[0]: 'grafana' is a key, not a name")
    assert (error.fix or "").startswith("write `- name: grafana`")


def test_the_same_in_an_environment(native: Native) -> None:
    error = raised(native, "environments:\n  production:\n    components:\n    - grafana:\n        wave: 3\n")
    assert error.message == "environments.production.components[0]: 'grafana' is a key, not a name"


def test_a_secret_in_a_domain_is_not_printed(native: Native) -> None:
    assert "secret" not in str(raised(native, "target: {domain: 'https://user:secret@example.com'}\n"))


def test_the_settings_below_such_a_key_are_checked(native: Native) -> None:
    assert native("components:\n- grafana:\n    vesion: 1\n    wave: soon\n").errors() == [
        "input/config.yaml:5: components[0]: 'grafana' is a key, not a name",
        "input/config.yaml:6: components[0]: unknown key 'vesion', did you mean 'version'?",
        "input/config.yaml:7: components[0].wave: must be a whole number, not 'soon'",
    ]


@pytest.mark.parametrize(
    "extends", ["base.yaml", "[{a: b}]", "{a: b}", "[x.yaml, 5]", "[../../base.yaml]", "[missing.yaml]"]
)
def test_a_wrong_extends_is_one_error(native: Native, extends: str) -> None:
    """What it would define is unknown: no name is unknown because of it, and the stack's name may be there."""
    description = f"extends: {extends}\ncomponents: [web]\n"
    error = raised(native, description, {"x.yaml": "apiVersion: cluster-forge/v1\nkind: Stack\n"})
    assert error.where == "input/config.yaml:4"
    assert "unknown component" not in error.message


def test_an_empty_extends_is_complete(native: Native) -> None:
    (error,) = native("extends: []\ncomponents: [web]\n").errors()
    assert "unknown component or collection 'web'" in error


@pytest.mark.parametrize(
    "component",
    [
        "manifests: [../../x.yaml]",
        "helm: {chart: ../../x}",
        "{helm: {chart: a, repository: 'https://a.b'}, valuesFiles: [../../../x.yaml]}",
        "manifests: [a/../../../b]",
        "upstream: {folder: ../../x, manifests: ['https://a.b/c']}, manifests: ['https://a.b/c']",
    ],
)
def test_a_path_out_of_the_workspace_has_its_place(native: Native, component: str) -> None:
    settings = component.strip("{}") if component.startswith("{") else component
    error = raised(native, f"components:\n- {{name: a, {settings}}}\n")
    assert error.where == "input/config.yaml:5"
    assert error.message.startswith("a: ../../") or error.message.startswith("a: a/../")
    assert error.message.endswith("is outside of the workspace")


def test_a_chart_of_a_repository_by_its_alias_needs_an_address(native: Native) -> None:
    error = raised(native, "components:\n- {name: web, helm: {chart: bitnami/nginx}}\n")
    assert "`repository: ADDRESS`" in (error.fix or "")
    assert "`chart: nginx`" in (error.fix or "")


@pytest.mark.parametrize("name", ["argo-apps", "namespaces", "flux"])
def test_a_folder_of_ours_is_not_a_component(native: Native, name: str) -> None:
    error = raised(native, f"components:\n- name: {name}\n  manifests: [x.yaml]\n")
    assert (error.where, error.fix) == (
        "input/config.yaml:5",
        f"rename it, for example to {name}-own, also in `needs`",
    )
