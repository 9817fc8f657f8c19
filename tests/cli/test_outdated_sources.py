"""outdated: sources in Git, the base image, and what charts in folders depend on, each asked of a real server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.archives import archive
from tests.cli.catalog_files import component
from tests.cli.conftest import CHART, Workspace, config_map
from tests.git_worktree import Worktree
from tests.oci.base_images import Base
from tests.servers import git_http
from tests.servers.chart_repository import RepositoryServer
from tests.servers.git_http import GitServer
from tests.servers.pushing import Repository, push_base
from tests.servers.registry import Registry

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
gitops: {engine: none}
%(more)scomponents:
- name: web
  namespace: web
  helm: {repository: "%(git)s@app-1.0.0//charts", chart: web}
- name: edge
  namespace: edge
  manifests: ["%(git)s@main//deploy", "%(git)s//deploy/one.yaml", "%(git)s@%(commit)s//deploy"]
- name: tuned
  namespace: tuned
  kustomize: "%(git)s@app-1.0.0//tuned"
"""


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def work(tmp_path: Path, server: RepositoryServer) -> Worktree:
    """A repository with a chart that depends on another one of an HTTP repository, manifests, and a kustomization."""
    for version in ("1.0.0", "1.4.0"):
        publish(server, version)
    declared = f"dependencies: [{{name: db, version: ^1.0, repository: '{server.address}'}}]\n"
    chart = CHART | {"Chart.yaml": CHART["Chart.yaml"] + declared}
    work = Worktree(tmp_path / "git/repo")
    work.commit(
        {
            **{f"charts/web/{path}": text for path, text in chart.items()},
            "deploy/one.yaml": config_map("one"),
            "tuned/kustomization.yaml": "resources: [two.yaml]\n",
            "tuned/two.yaml": config_map("two"),
        },
        tag="app-1.0.0",
    )
    return work


def publish(server: RepositoryServer, version: str) -> None:
    db = {"Chart.yaml": f"apiVersion: v2\nname: db\nversion: {version}\n", "templates/db.yaml": config_map("db")}
    server.publish("db", version, archive("db", db))


@pytest.fixture
def git(work: Worktree) -> Iterator[GitServer]:
    with git_http.serving(work.folder.parent) as running:
        yield running


@pytest.fixture
def mined(work: Worktree, git: GitServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workspace:
    return mine(work, git, Workspace(tmp_path / "w", capsys))


def mine(work: Worktree, git: GitServer, workspace: Workspace, more: str = "") -> Workspace:
    names = {"git": f"{git.address}/repo/.git", "commit": work.git("rev-parse", "HEAD"), "more": more}
    workspace.write({"input/config.yaml": DESCRIPTION % names})
    workspace.ok("mine")
    git.asked.clear()
    return workspace


def by_title(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "/".join(filter(None, (source["component"], source["dependency"], source["asked"]))): source
        for source in document["sources"]
    }


def test_nothing_is_newer(mined: Workspace, git: GitServer) -> None:
    assert mined.ok("outdated").out.splitlines() == [
        "5 of 5 sources current",
        "1 source without versions: `lock verify` finds whether they changed",
    ]
    assert len([path for path in git.asked if path.startswith("/repo/.git/info/refs")]) == 1, "one listing"


def test_newer_tags_branches_and_dependencies(mined: Workspace, work: Worktree, server: RepositoryServer) -> None:
    before = work.git("rev-parse", "HEAD")
    work.commit({"other": "1"}, tag="app-1.1.0")
    work.commit({"other": "2"}, tag="app-2.0.0-rc.1")
    after = work.commit({"other": "3"}, tag="web-9.0.0")
    publish(server, "1.9.0")
    publish(server, "2.0.0")
    lines = mined.ok("outdated").out.splitlines()
    old, new = before[:10], after[:10]
    assert lines == [
        "COMPONENT  LOCKED      IN RANGE    FOR 1.33    NEWEST",
        "web        app-1.0.0   app-1.0.0   app-1.1.0   app-1.1.0",
        f"edge       {old}  {new}  {new}  {new}",
        f"edge       {old}  {new}  {new}  {new}",
        "tuned      app-1.0.0   app-1.0.0   app-1.1.0   app-1.1.0",
        "web/db     1.4.0       1.9.0       2.0.0       2.0.0",
        "0 of 5 sources current",
        "`mine --update NAME` takes the newest version in range; for another one change the description",
        "1 source without versions: `lock verify` finds whether they changed",
    ]
    assert max(map(len, lines[:6])) <= 80
    sources = by_title(mined.ok("outdated", "--format", "json").json)
    assert sources["edge/main"]["newest"] == after
    assert (sources["web/db/^1.0"]["component"], sources["web/db/^1.0"]["dependency"]) == ("web", "db")
    assert mined.run("outdated", "--exit-code").code == 1
    mined.ok("mine", "--update")
    sources = by_title(mined.ok("outdated", "--format", "json").json)
    assert sources["edge"]["locked"] == sources["edge/main"]["locked"] == after, "as `IN RANGE` said"
    assert sources["web/db/^1.0"]["locked"] == "1.9.0"


def test_a_tag_that_has_moved_and_one_that_is_gone(mined: Workspace, work: Worktree) -> None:
    work.commit({"other": "1"}, tag="app-1.0.0")
    result = mined.ok("outdated")
    assert "web: its tag names something else now than what is locked" in result.out
    work.git("update-ref", "-d", "refs/tags/app-1.0.0")
    result = mined.run("outdated")
    assert result.code == 10
    assert "component web: " in result.err
    assert "there is no branch or tag 'app-1.0.0'" in result.err
    assert "edge" in result.out, "the others are listed"


def test_offline_git_and_base_images_are_those_of_a_mirror(
    work: Worktree, git: GitServer, open_registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = push_base(Repository(open_registry, "outdated/tools"), Base())
    workspace = mine(work, git, Workspace(tmp_path / "w", capsys), f"image: {{base: '{reference}'}}\n")
    mirror = str(tmp_path / "mirror")
    workspace.ok("mirror", "create", mirror)
    work.commit({"other": "1"})
    git.asked.clear()
    assert "6 of 6 sources current" in workspace.ok("outdated", "--offline", "--mirror", mirror).out
    assert git.asked == []
    result = workspace.run("outdated", "--offline")
    assert result.code == 14
    assert "component web: --offline: " in result.err
    assert "image: --offline: " in result.err
    assert "0 of 6 sources current, 6 unknown" in result.out


def test_the_tag_of_a_base_image_names_another_one(workspace: Workspace, open_registry: Registry) -> None:
    base = Base()
    repository = Repository(open_registry, "outdated/base")
    reference = push_base(repository, base)
    workspace.replace("input/config.yaml", "name: demo\n", f"name: demo\nimage: {{base: '{reference}'}}\n")
    workspace.ok("mine")
    assert "1 of 1 source current" in workspace.ok("outdated").out
    other = Base(("linux/amd64", "linux/arm64", "linux/s390x"))
    push_base(repository, other)
    old, new = base.root.digest, other.root.digest
    assert workspace.ok("outdated").out.splitlines() == [
        "COMPONENT   LOCKED      IN RANGE    FOR 1.33    NEWEST",
        f"image.base  {old.hex[:10]}  {new.hex[:10]}  {new.hex[:10]}  {new.hex[:10]}",
        "image.base: its tag names something else now than what is locked; `mine --update` accepts that",
        "0 of 1 source current",
    ]
    (found,) = workspace.ok("outdated", "--format", "json").json["sources"]
    assert (found["locked"], found["newest"], found["moved"]) == (str(old), str(new), True)
    workspace.ok("mine", "--update")
    assert "1 of 1 source current" in workspace.ok("outdated").out
    workspace.replace("input/config.yaml", reference, f"{reference}@{new}")
    workspace.ok("mine")
    assert workspace.ok("outdated").out.splitlines()[0] == "0 of 0 sources current"


def test_catalogs_and_charts_in_folders(
    workspace: Workspace, work: Worktree, git: GitServer, server: RepositoryServer
) -> None:
    work.commit(
        {"shared/components/.keep": "", "shared/components/hello.yaml": component(server.address, "db", "1.4.0")},
        tag="v1.0",
    )
    declared = f"dependencies: [{{name: db, version: 1.0.x, repository: '{server.address}'}}]\n"
    text = workspace.read("input/charts/web/Chart.yaml")
    workspace.write({"input/charts/web/Chart.yaml": text + declared})
    catalogs = f"catalogs: ['{git.address}/repo/.git@v1.0//shared']\n"
    workspace.replace("input/config.yaml", "components:\n", f"{catalogs}components:\n")
    workspace.ok("mine")
    work.commit({"other": "1"}, tag="v1.1")
    assert workspace.ok("outdated").out.splitlines()[:3] == [
        "COMPONENT  LOCKED  IN RANGE  FOR 1.33  NEWEST",
        "web/db     1.0.0   1.0.0     1.4.0     1.4.0",
        "catalogs   v1.0    v1.0      v1.1      v1.1",
    ]
