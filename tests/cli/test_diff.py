"""diff: two casts, offline."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Workspace

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\nstringData: {{password: {value}}}\n"

NOWHERE = """\
current-context: a
contexts: [{name: a, context: {cluster: a}}]
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}]
"""


@pytest.fixture
def two_casts(workspace: Workspace, tmp_path: Path) -> Workspace:
    """`stacks/demo`, and the cast before it in the folder ``old`` beside the workspace."""
    workspace.write({"input/extras/login.yaml": SECRET.format(value="hush-one")})
    workspace.ok("forge", "--allow", "plaintext-secret")
    shutil.copytree(workspace.folder / "stacks" / "demo", tmp_path / "old")
    workspace.write({"input/extras/login.yaml": SECRET.format(value="hush-two")})
    workspace.replace("input/config.yaml", "{replicas: 2}", "{replicas: 3, image: docker.io/library/nginx:1.30}")
    workspace.ok("forge", "--allow", "plaintext-secret")
    return workspace


def test_two_casts(two_casts: Workspace, tmp_path: Path) -> None:
    result = two_casts.run("diff", str(tmp_path / "old"), "demo")
    assert result.code == 1
    assert "hush" not in result.out + result.err
    for line in (
        "-  replicas: 2",
        "+  replicas: 3",
        '+  password: "*** (after)"',
        "~ component web 1.2.3",
        "+ image docker.io/library/nginx:1.30",
        "2 components changed; 2 objects changed; 1 image added, 1 removed",
    ):
        assert line in result.out.splitlines()


def test_json_and_markdown(two_casts: Workspace, tmp_path: Path) -> None:
    old = str(tmp_path / "old")
    answer = two_casts.run("diff", old, "demo", "--format", "json").json
    (web,) = [one for one in answer["objects"] if one["component"] == "web"]
    assert (web["object"], [field["path"] for field in web["fields"]]) == (
        "Deployment.apps/web/web",
        ["spec.replicas", 'spec.template.spec.containers[name="web"].image'],
    )
    document = two_casts.run("diff", old, "demo", "--format", "markdown").out
    assert document.startswith("### <code>")
    assert document.count("<details>") == document.count("</details>") == 2


def test_the_same_cast_does_not_differ(two_casts: Workspace) -> None:
    assert two_casts.ok("diff", "demo", "demo").out == "no differences between stacks/demo and stacks/demo\n"


def test_a_folder_that_is_not_there(two_casts: Workspace) -> None:
    result = two_casts.run("diff", "dem", "demo")
    assert result.code == 11
    assert "stacks/dem is not a cast stack, did you mean 'demo'" in result.err
    assert "error: ../there is not a cast stack" in two_casts.run("diff", "../there", "demo").err


@pytest.mark.parametrize("verb", ["diff", "deploy", "status"])
def test_a_damaged_file_is_named_as_the_folder_was_typed(two_casts: Workspace, tmp_path: Path, verb: str) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(NOWHERE)
    (tmp_path / "old" / "stack.json").write_text("{")
    for typed in (str(tmp_path / "old"), f"{tmp_path}/old/"):
        result = two_casts.run(verb, typed, "--kubeconfig", str(kubeconfig))
        assert (result.code, f"error: {tmp_path}/old/stack.json: is damaged" in result.err) == (21, True)
    (two_casts.folder / "stacks" / "demo" / "stack.json").write_text("{")
    assert (
        "error: stacks/demo/stack.json: is damaged" in two_casts.run(verb, "demo", "--kubeconfig", str(kubeconfig)).err
    )


def test_three_stacks_are_too_many(workspace: Workspace) -> None:
    assert workspace.run("diff", "a", "b", "c").code == 2


@pytest.mark.parametrize("option", ["--context", "--kubeconfig"])
def test_two_stacks_are_compared_without_a_cluster(workspace: Workspace, option: str) -> None:
    refused = workspace.run("diff", "a", "b", option, "production")
    assert (refused.code, "leave --context and --kubeconfig out" in refused.err) == (2, True)
