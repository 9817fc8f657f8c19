"""Repeated runs: what did not change is not rendered again, whatever the files' times say."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster_forge.adapters.disk import mounts
from cluster_forge.adapters.workspace import kept_digests

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

EDITED = "input/extras/one.yaml"


def touch_all(folder: Path, seconds: float) -> None:
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (seconds, seconds))


@pytest.fixture(params=["young", "old"])
def smelted(workspace: Workspace, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """If the files are old, their digests are kept."""
    workspace.ok("mine", "--offline")
    workspace.ok("smelt")
    if request.param == "old":
        monkeypatch.setattr(mounts, "file_system", lambda _: "ext4")  # wherever the tests run
        monkeypatch.setattr(kept_digests, "_YOUNG", -(10**12))
        time.sleep(0.02)  # several ticks of the file system's clock
        workspace.ok("smelt")
    return workspace


@pytest.mark.parametrize("seconds", [0, 1_000_000_000, 4_000_000_000])
def test_changed_file_times_change_nothing(smelted: Workspace, seconds: float) -> None:
    before = smelted.tree("working")
    touch_all(smelted.folder, seconds)
    result = smelted.ok("smelt")
    assert "render" not in result.err
    assert smelted.tree("working") == before


def test_a_change_is_noticed_although_the_time_stays(smelted: Workspace) -> None:
    """Same time, same size: only the content differs."""
    path = smelted.folder / EDITED
    at = path.stat()
    path.write_text(path.read_text().replace("value: '1'", "value: '2'"))
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))
    assert path.stat().st_size == at.st_size
    assert "render" in smelted.ok("smelt").err
    assert 'value: "2"' in smelted.read("working/extras/configmap_extras_one.yaml")


def test_a_hand_edit_is_noticed_although_the_time_stays(smelted: Workspace) -> None:
    path = smelted.folder / "working/extras/configmap_extras_one.yaml"
    at = path.stat()
    path.write_text(path.read_text().replace('"1"', '"2"'))
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))
    assert "1 hand edit kept" in smelted.ok("smelt").out
    assert "1 object changed" in smelted.run("customize", "status").out


@pytest.mark.skipif(sys.platform != "linux", reason="digests are kept on Linux only")
def test_digests_are_kept_of_old_files(smelted: Workspace, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    kept = list((tmp_path / "cache").rglob("made/stamps/*/*"))
    assert bool(kept) == request.node.name.endswith("[old]")


def test_without_the_cache_the_result_is_the_same(smelted: Workspace) -> None:
    before = smelted.tree("working")
    result = smelted.ok("smelt", "--no-cache")
    assert "(cached)" not in result.err
    assert "render" in result.err
    assert smelted.tree("working") == before


def test_another_workspace_with_the_same_store_renders_nothing(
    smelted: Workspace, tmp_path: Path, workspace: Workspace
) -> None:
    other = type(workspace)(tmp_path / "other", workspace._capsys)
    other.write({path: content.decode() for path, content in smelted.tree(".").items() if path.startswith("input/")})
    for path in other.tree("input"):
        if "/sourced/" in path:
            (other.folder / "input" / path).unlink()
    result = other.ok("forge", "--offline")
    assert [line for line in result.err.splitlines() if line.startswith("render ") and "objects" in line] == [
        line
        for line in result.err.splitlines()
        if line.startswith("render ") and "objects" in line and "(cached)" in line
    ]
    assert "(cached)" in result.err
    assert other.tree("working") == smelted.tree("working")


def test_a_poisoned_store_changes_nothing_but_the_time(smelted: Workspace, tmp_path: Path) -> None:
    before = smelted.tree("working")
    entries = [path for path in (tmp_path / "cache").rglob("made/*/*/*") if path.is_file()]
    assert entries
    for number, path in enumerate(entries):
        content = path.read_bytes()
        path.write_bytes((b"", content[: len(content) // 2], entries[0].read_bytes(), b"poison")[number % 4])
    smelted.replace("input/config.yaml", "replicas: 2", "replicas: 3")
    smelted.ok("smelt")
    smelted.replace("input/config.yaml", "replicas: 3", "replicas: 2")
    smelted.ok("smelt")
    assert smelted.tree("working") == before


def test_a_chart_that_takes_too_long_is_named(workspace: Workspace) -> None:
    loop = "{{ range until 10000 }}" * 3 + "{{ end }}" * 3
    workspace.write({"input/charts/web/templates/loop.yaml": loop})
    result = workspace.run("forge", "--offline", "--render-seconds", "2")
    assert result.code == 17
    assert "component web: rendering the chart took longer than 2 s and was stopped" in result.err
    assert "--render-seconds" in result.err
    assert not (workspace.folder / "working").exists()


def test_a_chart_that_takes_too_much_memory_is_named(workspace: Workspace) -> None:
    workspace.write({"input/charts/web/templates/bomb.yaml": 'a: {{ repeat 1000000000 "a" }}'})
    result = workspace.run("forge", "--offline", "--render-memory", "512")
    assert result.code == 17
    assert "component web: rendering the chart needed more than 512 MiB of memory and was stopped" in result.err
    assert not (workspace.folder / "working").exists()


@pytest.mark.parametrize("chart", ["./web", "./", "web/../web"])
def test_a_chart_in_the_folder_of_its_component_stays_the_same(workspace: Workspace, chart: str) -> None:
    """What `mine` writes beside the chart's own files is not packed with them, so a second run changes nothing."""
    (workspace.folder / "input/charts/web").rename(workspace.folder / "input/web")
    workspace.write({"input/Chart.yaml": workspace.read("input/web/Chart.yaml")})
    workspace.replace("input/config.yaml", "./charts/web", chart)
    workspace.write({"input/web/manifests/own/README": "the chart's own"})
    workspace.ok("forge")
    trees = workspace.tree("."), [path for path in workspace.tree("working") if path.startswith("web/")]
    for verb in ("forge", "mine", "smelt", "forge"):
        workspace.ok(verb)
        assert (workspace.tree("."), [path for path in workspace.tree("working") if path.startswith("web/")]) == trees
