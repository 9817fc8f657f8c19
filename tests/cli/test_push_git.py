"""push --git: the manifests of a cast stack in a Git repository of the user."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Workspace, config_map

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: platform
gitops: {{engine: flux, install: false, source: external, url: "file://{folder}", path: clusters/one}}
components:
- {{name: extras, namespace: extras, manifests: [extras/]}}
"""


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder)], check=True)
    return folder


@pytest.fixture
def cast(empty: Workspace, remote: Path) -> Workspace:
    described = DESCRIPTION.format(folder=remote)
    empty.write({"input/config.yaml": described, "input/extras/one.yaml": config_map("one", "x")})
    assert empty.run("forge", "-q").code == 0
    return empty


def listed(remote: Path, revision: str) -> list[str]:
    command = ["git", "-C", str(remote), "ls-tree", "-r", "--name-only", revision]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_branch_and_tag_are_pushed(cast: Workspace, remote: Path) -> None:
    result = cast.run("push", "--git", "--format", "json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["branch"]["new"]
    assert document["tag"]["new"]
    version = document["version"]
    assert listed(remote, "main") == listed(remote, version)
    assert "clusters/one/flux/root.yaml" in listed(remote, "main")
    assert "clusters/one/extras/configmap_extras_one.yaml" in listed(remote, "main")
    again = cast.run("push", "--git")
    assert again.out.count(" kept ") == 2


def test_a_trial_and_another_branch(cast: Workspace, remote: Path) -> None:
    assert "would have" in cast.run("push", "--git", "--dry-run").out
    assert subprocess.run(["git", "-C", str(remote), "show-ref"], check=False, capture_output=True).stdout == b""
    assert cast.run("push", "--git", "--branch", "upgrade").code == 0
    assert listed(remote, "upgrade")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--git", "--tag", "1.0"), 2, "--tag and --force-tag are for registries"),
        (("--branch", "b"), 2, "--branch is for Git repositories: add --git"),
        (("--git", "--branch", "a..b"), 10, "'a..b' cannot name a branch"),
        (("--git", "--to", "http://git.example.com/x.git"), 10, "is not encrypted"),
        (("--git", "--offline"), 14, "the command needs a Git repository"),
    ],
)
def test_what_cannot_be_pushed_is_an_error(
    cast: Workspace, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = cast.run("push", *arguments)
    assert result.code == code
    assert message in result.err
