"""mirror create and mirror verify, and a stack that is built from the mirror alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.archives import archive
from tests.cli.conftest import Workspace, chart, config_map
from tests.servers.chart_repository import RepositoryServer
from tests.servers.registry import Registry


def elsewhere(workspace: Workspace, *, locked: bool) -> Workspace:
    """The workspace as another machine gets it: description and lock, and an empty store."""
    other = Workspace(workspace.folder.parent / "other", workspace._capsys)
    shutil.copytree(workspace.folder / "input", other.folder / "input")
    for sourced in other.folder.glob("input/*/manifests/sourced"):
        shutil.rmtree(sourced)
    if locked:
        shutil.copy(workspace.folder / "cluster-forge.lock", other.folder)
    shutil.rmtree(workspace.folder.parent / "cache")
    return other


@pytest.mark.parametrize("locked", [True, False])
def test_a_stack_from_the_mirror_is_the_one_from_the_network(
    sourced: Workspace, server: RepositoryServer, tmp_path: Path, locked: bool
) -> None:
    sourced.ok("forge")
    mirror = str(tmp_path / "mirror")
    result = sourced.ok("mirror", "create", mirror)
    assert result.out == f"{mirror} has 2 sources of the stack, 2 added\n"
    other = elsewhere(sourced, locked=locked)
    server.asked.clear()
    server.files.clear()
    other.ok("forge", "--offline", "--mirror", mirror)
    assert other.tree("stacks") == sourced.tree("stacks")
    assert other.tree("working") == sourced.tree("working")
    assert other.tree(".")["cluster-forge.lock"] == sourced.tree(".")["cluster-forge.lock"]
    assert server.asked == []


def test_what_the_store_lacks_is_fetched_as_locked(
    sourced: Workspace, server: RepositoryServer, tmp_path: Path
) -> None:
    sourced.ok("mine")
    server.publish("shop", "1.2.0", chart("shop", "1.2.0"))
    other = elsewhere(sourced, locked=True)
    mirror = str(tmp_path / "mirror")
    created = other.ok("mirror", "create", mirror, "--format", "json").json
    assert [(source["address"], source["version"], source["added"]) for source in created["sources"]] == [
        (f"{server.address} shop", "1.1.0", True),
        (f"{server.address}/crds.yaml", "", True),
    ]
    assert created["mirror"] == mirror
    assert other.ok("mirror", "create", mirror).out.endswith("2 sources of the stack, 0 added\n")
    assert other.ok("mirror", "verify", mirror).out == f"{mirror}: 2 files, all right\n"


def test_the_lock_moves_on_and_the_mirror_keeps_both(
    sourced: Workspace, server: RepositoryServer, tmp_path: Path
) -> None:
    mirror = str(tmp_path / "mirror")
    sourced.ok("mine")
    sourced.ok("mirror", "create", mirror)
    server.publish("shop", "1.2.0", chart("shop", "1.2.0"))
    sourced.ok("mine", "--update", "shop")
    missing = sourced.run("mirror", "verify", mirror)
    assert missing.code == 1
    assert f"{server.address} shop 1.2.0 is not in the mirror" in missing.err
    assert missing.out == f"{mirror}: 2 files, 1 problem\n"
    assert sourced.ok("mirror", "create", mirror).out.endswith("2 sources of the stack, 1 added\n")
    assert sourced.ok("mirror", "verify", mirror).out == f"{mirror}: 3 files, all right\n"


def test_a_part_of_the_stack(sourced: Workspace, tmp_path: Path) -> None:
    mirror = str(tmp_path / "mirror")
    sourced.ok("mine")
    assert sourced.ok("mirror", "create", mirror, "shop").out == f"{mirror} has 1 source of the stack, 1 added\n"
    assert sourced.ok("mirror", "verify", mirror, "shop").code == 0
    assert sourced.run("mirror", "verify", mirror).code == 1


def test_everything_that_is_not_locked_is_named(sourced: Workspace, tmp_path: Path) -> None:
    result = sourced.run("mirror", "create", str(tmp_path / "mirror"))
    assert result.code == 12
    for name in ("shop", "crds"):
        assert f"component {name}: " in result.err
    assert "run `cluster-forge mine shop`" in result.err
    assert not (tmp_path / "mirror").exists()


def test_a_changed_source_leaves_the_mirror_as_it_is(
    sourced: Workspace, server: RepositoryServer, tmp_path: Path
) -> None:
    sourced.ok("mine")
    other = elsewhere(sourced, locked=True)
    server.files["/crds.yaml"] = config_map("changed").encode()
    result = other.run("mirror", "create", str(tmp_path / "mirror"))
    assert result.code == 12
    assert "has changed: the lock has sha256:" in result.err
    assert not (tmp_path / "mirror").exists()


def test_outside_of_a_workspace_the_files_are_checked(sourced: Workspace, empty: Workspace, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    sourced.ok("mine")
    sourced.ok("mirror", "create", str(mirror))
    assert empty.ok("mirror", "verify", str(mirror)).out == f"{mirror}: 2 files, all right\n"
    next(mirror.glob("charts/*")).write_bytes(b"rotten")
    damaged = empty.run("mirror", "verify", str(mirror), "--format", "json")
    assert damaged.code == 1
    (problem,) = damaged.json["problems"]
    assert problem["where"] == f"{mirror}/index.yaml:3"
    assert "does not match the mirror's index" in problem["message"]
    assert "does not match the mirror's index" in damaged.err


def test_a_directory_of_others_is_refused(sourced: Workspace, tmp_path: Path) -> None:
    sourced.ok("mine")
    mirror = tmp_path / "documents"
    mirror.mkdir()
    (mirror / "thesis.txt").write_text("mine")
    result = sourced.run("mirror", "create", str(mirror))
    assert result.code == 20
    assert "thesis.txt" in result.err
    assert [path.name for path in mirror.iterdir()] == ["thesis.txt"]
    other = sourced.run("mirror", "create", "s3://bucket/mirror")
    assert (other.code, "s3://bucket/mirror is neither a directory nor in a registry" in other.err) == (20, True)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_what_is_in_git_and_what_charts_depend_on(
    workspace: Workspace, server: RepositoryServer, tmp_path: Path
) -> None:
    """A chart in Git with a dependency in a repository, manifests in Git, and a local chart with a dependency."""
    repository = tmp_path / "repository"
    base = {"Chart.yaml": "apiVersion: v2\nname: base\nversion: 1.0.0\n", "templates/base.yaml": config_map("base")}
    server.publish("base", "1.0.0", archive("base", base))
    dependency = f"dependencies: [{{name: base, version: 1.x, repository: '{server.address}'}}]\n"
    identity = f"apiVersion: v2\nname: stall\nversion: 0.1.0\n{dependency}"
    files = {"charts/stall/Chart.yaml": identity, "charts/stall/templates/a.yaml": config_map("stall")}
    Workspace(repository, workspace._capsys).write({**files, "deploy/b.yaml": config_map("deployed")})
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"], ["tag", "v1"]):
        author = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", *author, *command], cwd=repository, check=True)
    address = f"git+file://{repository}@v1//"
    workspace.write({"input/charts/web/Chart.yaml": f"apiVersion: v2\nname: web\nversion: 1.2.3\n{dependency}"})
    described = (
        "components:\n"
        f"- {{name: stall, namespace: stall, helm: {{repository: '{address}charts', chart: stall}}}}\n"
        f"- {{name: deployed, namespace: deployed, manifests: ['{address}deploy']}}\n"
    )
    workspace.replace("input/config.yaml", "components:\n", described)
    workspace.ok("forge")
    mirror = str(tmp_path / "mirror")
    assert workspace.ok("mirror", "create", mirror).out == f"{mirror} has 3 sources of the stack, 3 added\n"
    assert workspace.ok("lock", "verify").out == "3 of 3 sources as locked\n"
    assert workspace.ok("outdated").out == "4 of 4 sources current\n", "both charts have the dependency"
    other = elsewhere(workspace, locked=True)
    shutil.rmtree(repository)
    server.files.clear()
    other.ok("forge", "--offline", "--mirror", mirror)
    assert other.tree("stacks") == workspace.tree("stacks")
    assert other.ok("mirror", "verify", mirror).out == f"{mirror}: 3 files, all right\n"


def test_a_mirror_in_a_registry(sourced: Workspace, server: RepositoryServer, open_registry: Registry) -> None:
    """The same, to and from a real registry: what is built from it, what is added, and what is not a mirror."""
    mirror = f"oci://{open_registry.host}/mirrors/platform:1"
    sourced.ok("forge")
    assert sourced.ok("mirror", "create", mirror).out == f"{mirror} has 2 sources of the stack, 2 added\n"
    before = open_registry.log.read_text().count("PUT")
    assert sourced.ok("mirror", "create", mirror).out.endswith("0 added\n")
    assert open_registry.log.read_text().count("PUT") == before, "nothing is sent again"
    assert sourced.ok("mirror", "verify", mirror).out == f"{mirror}: 2 files, all right\n"
    server.publish("shop", "1.2.0", chart("shop", "1.2.0"))
    sourced.ok("mine", "--update", "shop")
    missing = sourced.run("mirror", "verify", mirror)
    assert (missing.code, missing.out) == (1, f"{mirror}: 2 files, 1 problem\n")
    sourced.ok("forge")
    assert sourced.ok("mirror", "create", mirror).out.endswith("1 added\n")
    other = elsewhere(sourced, locked=True)
    server.files.clear()
    server.asked.clear()
    other.ok("forge", "--mirror", mirror)
    assert other.tree("stacks") == sourced.tree("stacks")
    assert server.asked == []
    assert other.run("forge", "--offline", "--mirror", mirror.replace("platform", "none")).code in (0, 13, 14)


def test_a_tag_of_something_else_is_refused(sourced: Workspace, open_registry: Registry) -> None:
    sourced.ok("forge")
    image = f"oci://{open_registry.host}/images/platform"
    sourced.ok("push", "--to", image, "--tag", "1")
    result = sourced.run("mirror", "create", f"{image}:1-manifests")
    assert result.code == 13
    assert "names something else than a mirror" in result.err
    assert sourced.run("mirror", "verify", f"{image}:1").code == 13
    none = sourced.run("mirror", "verify", f"oci://{open_registry.host}/images/none")
    assert none.code == 13
    assert "images/none:mirror" in none.err
    assert sourced.run("mirror", "create", "oci://nonsense").code == 23


@pytest.mark.usefixtures("own_workers")
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux")
def test_a_mirror_that_is_none_leaves_no_process(workspace: Workspace) -> None:
    """The processes that render are started early, but after everything that may be an error."""

    def children() -> set[str]:
        return {
            child for thread in Path("/proc/self/task").iterdir() for child in (thread / "children").read_text().split()
        }

    before = children()
    assert workspace.run("forge", "--mirror", "/nonexistent").code == 13
    assert children() <= before
