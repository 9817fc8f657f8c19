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


def test_a_cast_says_that_it_must_be_pushed_first(cast: Workspace) -> None:
    lines = cast.run("cast").out.splitlines()
    assert lines[-3].startswith(f"next: cluster-forge -C {cast.folder} push --git platform   (Flux reads ")
    assert lines[-2].startswith(f"then: cluster-forge -C {cast.folder} deploy platform ")
    cast.replace("input/config.yaml", "engine: flux, install: false, source: external", "engine: none")
    cast.replace("input/config.yaml", f', url: "file://{cast.folder.parent}/remote.git", path: clusters/one', "")
    lines = cast.run("forge").out.splitlines()
    assert lines[-2].startswith(f"next: cluster-forge -C {cast.folder} deploy platform ")


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


def test_what_was_pushed_is_compared_by_its_tag_and_only_what_cast_wrote(
    cast: Workspace, remote: Path, tmp_path: Path
) -> None:
    first = cast.run("push", "--git", "--format", "json").json["version"]
    cast.write({"input/extras/one.yaml": config_map("one", "other")})
    cast.ok("forge", "-q")
    second = cast.run("push", "--git", "--format", "json").json["version"]
    old, new = (f"git+file://{remote}@{tag}//clusters/one" for tag in (first, second))
    answer = cast.run("diff", old, new, "--format", "json")
    assert answer.code == 1, answer.err
    assert [one["object"] for one in answer.json["objects"]] == ["ConfigMap/extras/one"]
    assert cast.run("diff", new, "platform").code == 0
    missing = cast.run("diff", f"git+file://{remote}@{first}", "platform")
    assert missing.code == 13
    assert "there is no stack.json" in missing.err
    assert cast.run("diff", f"git+file://{remote}@v-none//clusters/one", "platform").code == 10
    assert "is not an address" in cast.run("diff", "git+ftp://git.example.com/x", "platform").err

    clone = tmp_path / "clone"
    commit = [
        "git",
        "-C",
        str(clone),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.com",
        "commit",
        "-qam",
        "edited",
    ]
    subprocess.run(["git", "clone", "--quiet", str(remote), str(clone)], check=True)
    edited = clone / "clusters" / "one" / "extras" / "configmap_extras_one.yaml"
    edited.write_text(edited.read_text().replace("other", "mine"))
    subprocess.run(commit, check=True)
    subprocess.run(["git", "-C", str(clone), "push", "--quiet", "origin", "HEAD:main"], check=True)
    refused = cast.run("diff", f"git+file://{remote}@main//clusters/one", "platform")
    assert refused.code == 21
    assert "extras/configmap_extras_one.yaml: is not as cast wrote it" in refused.err


def test_each_cluster_has_its_folder_and_its_tag(cast: Workspace, remote: Path) -> None:
    clusters = "clusters: [{name: eu}, {name: us, labels: {region: us}}]\n"
    cast.write(
        {"input/config.yaml": cast.read("input/config.yaml").replace("path: clusters/one", "path: p") + clusters}
    )
    cast.ok("forge", "-q")
    refused = cast.run("push", "--git", "--all")
    assert refused.code == 10
    assert "clusterFolders: true" in refused.err
    cast.replace("input/config.yaml", "path: p", "path: p, clusterFolders: true")
    assert cast.run("push", "--all").code == 2
    assert "would have" in cast.ok("push", "--git", "--all", "--dry-run").out
    pushed = cast.ok("push", "--git", "--all", "--format", "json").json["clusters"]
    assert [(one["name"], one["path"], one["version"].partition("/")[0]) for one in pushed] == [
        ("eu", "p/clusters/eu", "eu"),
        ("us", "p/clusters/us", "us"),
    ]
    for one in pushed:
        files = listed(remote, one["version"])
        assert f"{one['path']}/extras/configmap_extras_one.yaml" in files
        address = f"git+file://{remote}@{one['version']}//{one['path']}"
        assert cast.run("diff", address, "platform").code == 0
    again = cast.ok("push", "--git", "--selector", "region=us", "--format", "json").json["clusters"]
    assert [(one["name"], one["branch"]["new"], one["tag"]["new"]) for one in again] == [("us", False, False)]
