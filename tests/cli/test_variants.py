"""Environments and narrowed stacks in one workspace: each has a folder, and none gets the content of another one."""

from __future__ import annotations

import json

import pytest

from .conftest import Workspace

LARGE = "environments:\n  production: {target: {size: large}}\n  staging: {target: {size: medium}}\n"


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    text = workspace.read("input/config.yaml")
    head, _, _ = text.partition("environments:\n")
    workspace.write({"input/config.yaml": head + LARGE})
    return workspace


def test_each_has_its_folder(workspace: Workspace) -> None:
    workspace.ok("forge")
    whole = workspace.read("stacks/demo/deploy.sh")
    for folder, arguments in (
        ("demo.production", ("--environment", "production")),
        ("demo.staging", ("--environment", "staging")),
        ("demo+web", ("web",)),
        ("demo.staging+web", ("web", "--environment", "staging")),
    ):
        answer = workspace.ok("forge", *arguments, "--format", "json").json
        assert answer["cast"]["folder"] == f"stacks/{folder}"
        assert (workspace.folder / "stacks" / folder / "deploy.sh").is_file()
    assert workspace.read("stacks/demo/deploy.sh") == whole
    contents = json.loads(workspace.read("stacks/demo.staging+web/stack.json"))
    assert (contents["environment"], contents["leftOut"]) == ("staging", ["extras", "spare"])
    history = workspace.read(".cluster-forge/history.jsonl").splitlines()
    assert json.loads(history[-1])["folder"] == "stacks/demo.staging+web"


@pytest.mark.parametrize("arguments", [(), ("--stale",), ("--diff",)])
@pytest.mark.parametrize("other", [("--environment", "production"), ("web",), ()])
def test_working_is_not_cast_for_another_one(
    workspace: Workspace, other: tuple[str, ...], arguments: tuple[str, ...]
) -> None:
    workspace.ok("smelt", "--environment", "staging")
    workspace.ok("cast", "--environment", "staging")
    result = workspace.run("cast", *arguments, *other)
    assert result.code == 22
    assert "working/: holds the stack 'demo.staging', not 'demo" in result.err
    assert f"or cast that: `cluster-forge -C {workspace.folder} cast --environment staging`" in result.err
    assert workspace.ok("cast", "--diff", "--environment", "staging").out == "no differences\n"


def test_hand_edits_are_named_with_their_environment(workspace: Workspace) -> None:
    workspace.ok("smelt", "--environment", "staging")
    path = next((workspace.folder / "working" / "web").glob("*.yaml"))
    path.write_text(path.read_text() + "# mine\n")
    for verb in ("smelt", "forge"):
        result = workspace.run(verb, "--environment", "production")
        assert result.code == 21
        command = f"cluster-forge -C {workspace.folder} cast --environment staging"
        assert f"working/ holds the stack 'demo.staging': cast that: `{command}`; or discard the edits: " in result.err
    assert path.read_text().endswith("# mine\n")
