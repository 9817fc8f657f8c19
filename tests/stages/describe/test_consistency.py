"""Checks across the files of a stack."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import DescriptionError, ForgeError, OrderError, WorkspaceError
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.parse import ParsedDescription, parse_description
from cluster_forge.stack.selection import Selection
from cluster_forge.stages.describe import consistency

HEAD = "apiVersion: cluster-forge/v1\nkind: Stack\nname: shop\n"


def parsed(text: str, **selection: Any) -> ParsedDescription:
    files = {"input/config.yaml": (HEAD + text).encode()}
    return parse_description(InputFiles(files.get), Selection(**selection))


def errors(text: str) -> list[ForgeError]:
    """The errors of a description, in their order."""
    files = {"input/config.yaml": (HEAD + text).encode()}
    try:
        parse_description(InputFiles(files.get), check=consistency.errors)
    except (ForgeError, ExceptionGroup) as error:
        return expected(error)
    return []


def component(name: str, *needs: str) -> str:
    return f"- {{name: {name}, namespace: {name}, needs: [{', '.join(needs)}], manifests: [x.yaml]}}\n"


@pytest.mark.parametrize("version", ["1.24", "1.99", "2.33"])
def test_an_unsupported_kubernetes_version_is_an_error(version: str) -> None:
    (error,) = errors(f'target:\n  kubernetes: "{version}"\ncomponents:\n{component("a")}')
    assert isinstance(error, DescriptionError)
    assert f"Kubernetes {version} is not supported (1.25 to 1." in error.message
    assert error.where == "input/config.yaml:5"


def test_a_stack_without_components_is_an_error() -> None:
    (error,) = consistency.emptiness(parsed("components: []\n"))
    assert str(error) == "input/config.yaml: the stack has no components"


def test_a_dependency_cycle_is_shown_with_the_position_of_a_component_in_it() -> None:
    text = f"components:\n{component('free')}{component('a', 'b')}{component('b', 'c')}{component('c', 'a')}"
    (error,) = errors(text)
    assert isinstance(error, OrderError)
    assert error.message.count("→") == 3
    assert error.where == "input/config.yaml:6"


def test_all_errors_are_reported_together() -> None:
    text = f'target: {{kubernetes: "1.99"}}\ncomponents:\n{component("a", "b")}{component("b", "a")}'
    assert [type(error) for error in errors(text)] == [DescriptionError, OrderError]


def test_other_errors_hide_none() -> None:
    text = (
        'target: {kubernetes: "1.99", size: huge}\nvars: {v: "${w}"}\ncomponents:\n'
        f"{component('a', 'b').replace('manifests', 'manifest')}{component('b', 'a', 'b')}{component('C', 'b')}"
    )
    messages = "\n".join(map(str, errors(text)))
    for message in (
        "input/config.yaml:4: target: Kubernetes 1.99 is not supported",
        "input/config.yaml:4: target.size",
        "unknown variable 'w'",
        "input/config.yaml:7: components need each other in a cycle: ",
        "unknown key 'manifest'",
        "b needs itself",
        "input/config.yaml:9: components[2].name",
    ):
        assert message in messages


def test_a_valid_stack_has_no_errors_and_no_findings() -> None:
    text = f"components:\n{component('a', 'b')}{component('b')}"
    assert errors(text) == []
    assert consistency.findings(parsed(text)) == []


def test_left_out_components_and_those_that_need_them_are_reported() -> None:
    text = f"components:\n{component('a', 'b')}{component('b')}{component('c')}"
    narrowed, needed = consistency.findings(parsed(text, skip=("b",)))
    assert "2 of 3 components are selected" in narrowed.message
    assert (needed.component, needed.message) == ("a", "needs b, which is left out")
    assert needed.where == "input/config.yaml:5"
    assert len(consistency.findings(parsed(text, names=("c",)))) == 1


def test_what_cannot_be_a_json_patch_is_an_error_with_its_line() -> None:
    patch = "{target: {kind: A}, patch: [{op: put, path: /a}, {op: add, path: a}]}"
    text = f"components:\n- name: a\n  manifests: [a/]\n  patches: [{patch}]\n"
    found_at = {(error.where, error.message) for error in errors(text)}
    assert found_at == {
        ("input/config.yaml:7", "the JSON patch: operation 1: unknown op `put`"),
        ("input/config.yaml:7", "the JSON patch: operation 2: add has no `value`"),
    }


def test_several_bad_links_hide_no_other_error() -> None:
    text = f'target: {{kubernetes: "1.99"}}\ncomponents:\n{component("a")}'.replace("x.yaml", "x/")
    links = [WorkspaceError("the link is broken", where=f"input/x/{name}.yaml") for name in "ab"]

    def listed(path: str) -> None:
        if path == "input/x":
            raise ExceptionGroup("several errors", links)

    files = {"input/config.yaml": (HEAD + text).encode()}
    with pytest.raises(ExceptionGroup) as raised:
        parse_description(InputFiles(files.get, listed), check=consistency.errors)
    assert {error.where for error in expected(raised.value)} == {
        "input/config.yaml:4",
        "input/x/a.yaml",
        "input/x/b.yaml",
    }
