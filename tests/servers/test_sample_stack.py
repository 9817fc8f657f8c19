"""What the issue of the sources asks to be tried by hand, with the servers as they are started by hand."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.cli.conftest import Workspace
from tests.servers import git_ssh

pytestmark = pytest.mark.usefixtures("registry_program")
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workspace:
    return Workspace(tmp_path / "W", capsys)


@pytest.fixture
def logins(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, str]]:
    """The servers run, with faults, and their logins are in the environment."""
    command = [sys.executable, "-m", "tests.servers", str(workspace.folder), "0.15"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT, text=True) as process:
        assert process.stdout is not None
        lines = list(iter(process.stdout.readline, "ready\n"))
        exported = [shlex.split(line)[1].partition("=") for line in lines if line.startswith("export ")]
        for name, _, login in exported:
            monkeypatch.setenv(name, login)
        yield {name: login for name, _, login in exported}
        process.kill()


def test_a_stack_of_every_source_is_mined_forged_pushed_and_pulled(
    workspace: Workspace, logins: Mapping[str, str], tmp_path: Path
) -> None:
    assert len(logins) == (4 if git_ssh.PROGRAM else 3)
    store = ("--store", str(tmp_path / "store"))
    workspace.ok("mine", *store)
    workspace.ok("forge", *store)
    description = workspace.yaml("input/config.yaml")
    assert set(workspace.yaml("cluster-forge.lock")["components"]) == {
        component["name"] for component in description["components"]
    }
    address = f"oci://{description['image']['repository']}"
    workspace.ok("push", "--to", address)
    workspace.ok("pull", address, "-o", str(workspace.folder / "X"))
    assert workspace.tree("X") == workspace.tree("stacks/platform")


def test_from_a_mirror_it_has_the_same_bytes(
    workspace: Workspace, logins: Mapping[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert logins
    store = ("--store", str(tmp_path / "store"))
    workspace.ok("forge", *store)
    workspace.ok("outdated", *store)
    workspace.ok("lock", "verify", *store)
    workspace.ok("mirror", "create", str(tmp_path / "M"), *store)
    for name, given in (("W2", ("input/config.yaml", "cluster-forge.lock")), ("W3", ("input/config.yaml",))):
        other = Workspace(tmp_path / name, capsys)
        other.write({path: workspace.read(path) for path in given})
        other.ok("forge", "--offline", "--mirror", str(tmp_path / "M"), "--store", str(tmp_path / f"store of {name}"))
        assert other.tree("stacks/platform") == workspace.tree("stacks/platform")
        assert other.read("cluster-forge.lock") == workspace.read("cluster-forge.lock")
