"""Odd places, odd files and odd times: commands work, or say what is wrong and where; nothing is lost."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import config_map
from tests.cli.surroundings import MINED, changed, posix, shell, stack

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

HUGE = 1 << 30


class TestPlaces:
    @pytest.mark.parametrize("name", ["two words", "ümläüt 日本", '🙂 it\'s $HOME `x` "q"', "-q", "a\nb"])
    def test_a_strange_path(self, workspace: Workspace, name: str) -> None:
        workspace.folder = workspace.folder.rename(workspace.folder.with_name(name))
        workspace.write({"input/extras/ü 🙂.yaml": config_map("two")})
        result = workspace.program("forge", "-q")
        assert result.code == 0, result.err
        assert "extras/configmap_extras_two.yaml" in workspace.tree("working")

    @posix
    def test_the_workspace_and_its_folders_may_be_links(self, workspace: Workspace, tmp_path: Path) -> None:
        """To anywhere, also to a folder that does not exist yet: files are written there, and the link stays."""
        for folder in ("input", "working", "stacks"):
            place = tmp_path / "elsewhere" / folder
            place.parent.mkdir(exist_ok=True)
            if folder == "input":
                (workspace.folder / folder).rename(place)
            (workspace.folder / folder).symlink_to(place)
        (tmp_path / "link").symlink_to(workspace.folder)
        real, workspace.folder = workspace.folder, tmp_path / "link"
        for _ in range(2):
            workspace.ok("forge")
            assert all((real / folder).is_symlink() for folder in ("input", "working", "stacks"))
            assert (tmp_path / "elsewhere/stacks/demo/stack.json").is_file()
            assert (tmp_path / "elsewhere/working/.smelt.json").is_file()
            assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["input", "stacks", "working"]
            changed(workspace)
            workspace.replace("input/config.yaml", "replicas: 3", "replicas: 2")

    @posix
    def test_a_link_below_them_does_not_lead_out(self, forged: Workspace, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        (forged.folder / "stacks/demo").rename(elsewhere)
        (forged.folder / "stacks/demo").symlink_to(elsewhere)
        before = {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}
        result = changed(forged).run("forge")
        assert result.code == 20
        assert "stacks/demo is outside of the workspace" in result.err
        assert {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()} == before

    @pytest.mark.parametrize("path", ["working", "stacks", "stacks/demo", MINED, "input/web", ".cluster-forge"])
    def test_a_file_in_the_place_of_a_folder_is_not_lost(self, forged: Workspace, path: str) -> None:
        shutil.rmtree(forged.folder / path)
        (forged.folder / path).write_text("mine")
        result = changed(forged).run("forge")
        assert result.code == 20
        assert str(forged.folder / path) in result.err
        assert "fix: " in result.err
        assert forged.read(path) == "mine"

    def test_a_folder_in_the_place_of_the_lock(self, workspace: Workspace) -> None:
        (workspace.folder / "cluster-forge.lock/x").mkdir(parents=True)
        result = workspace.run("forge")
        assert result.code == 20
        assert "cluster-forge.lock cannot be written: Is a directory" in result.err

    @posix
    def test_a_workspace_that_is_not_there_any_more(self, workspace: Workspace) -> None:
        result = shell(workspace, 'rm -r "$PWD"; "$@"', "smelt")
        assert result.code == 20
        assert "cannot be opened: No such file or directory" in result.err

    def test_the_longest_names(self, workspace: Workspace) -> None:
        name, file = "c" * 63, f"{'f' * 250}.yaml"
        workspace.write({f"input/{'d' * 255}/{file}": config_map("x" * 253)})
        component = f"- {{name: {name}, namespace: {'n' * 63}, manifests: [{'d' * 255}/]}}\n"
        workspace.replace("input/config.yaml", "- spare\n", f"- spare\n{component}")
        workspace.ok("forge")
        assert any(path.startswith(name) for path in workspace.tree("working"))

    @posix
    def test_a_path_that_is_too_long_is_reported(self, workspace: Workspace) -> None:
        deep = workspace.folder
        while len(str(deep)) < 4010:
            deep = deep / ("d" * min(200, 4030 - len(str(deep))))
        shutil.copytree(workspace.folder / "input", workspace.folder / "copy")
        subprocess.run(["mkdir", "-p", deep], check=True)
        shutil.move(workspace.folder / "copy", deep / "input")
        result = workspace.program("-C", str(deep), "forge", "-q")
        assert result.code in (10, 20)
        assert "File name too long" in result.err
        assert "fix: " in result.err


def make_socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)


class TestFiles:
    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(os.mkfifo, id="pipe", marks=posix),
            pytest.param(make_socket, id="socket", marks=posix),
        ],
    )
    @pytest.mark.parametrize("path", ["extras/x.yaml", "charts/web/x", "config.yaml", "values.yaml"])
    def test_a_pipe_does_not_block(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, make: Callable[[str], None], path: str
    ) -> None:
        workspace.replace("input/config.yaml", "values: {replicas: 2}", "valuesFiles: [values.yaml]")
        if path == "config.yaml":
            (workspace.folder / "input/config.yaml").unlink()
        if path != "values.yaml":
            workspace.write({"input/values.yaml": ""})
        monkeypatch.chdir(workspace.folder / "input" / Path(path).parent)  # a socket's path must be short
        make(Path(path).name)
        for verb in ("config", "mine", "smelt"):
            result = workspace.run(verb, *(["validate"] if verb == "config" else []))
            if verb != "config" or path not in ("extras/x.yaml", "charts/web/x"):
                assert result.code == 20, result.err
            if result.code:
                assert f"input/{path}: " in result.err
                assert "neither a file nor a directory (a pipe, a socket or a device)" in result.err

    @posix
    @pytest.mark.parametrize("path", ["extras/huge.yaml", "charts/web/huge", "config.yaml", "huge.yaml"])
    def test_a_huge_file_is_not_read(self, workspace: Workspace, path: str) -> None:
        workspace.replace("input/config.yaml", "values: {replicas: 2}", "valuesFiles: [huge.yaml]")
        workspace.write({"input/huge.yaml": "replicas: 2\n"})
        with (workspace.folder / "input" / path).open("ab") as file:
            file.truncate(HUGE)
        result = workspace.run("forge")
        assert result.code == 20
        assert f"input/{path}: " in result.err
        assert "file too large: 1024 MiB (limit 64 MiB)" in result.err
        assert "fix: " in result.err

    def test_empty_and_hidden_files_are_ignored(self, workspace: Workspace) -> None:
        workspace.write(dict.fromkeys(("input/extras/empty.yaml", "input/empty.yaml", "input/extras/.hidden"), ""))
        workspace.replace("input/config.yaml", "values: {replicas: 2}", "valuesFiles: [empty.yaml]")
        workspace.ok("forge")

    @posix
    def test_a_name_that_is_not_utf8_is_reported(self, workspace: Workspace) -> None:
        try:
            Path(os.fsdecode(os.fsencode(workspace.folder / "input/extras") + b"/\xff.yaml")).write_text("x")
        except OSError:
            pytest.skip("this file system has text names only")
        result = workspace.run("forge")
        assert result.code == 20
        assert "input/extras: the file name b'\\xff.yaml' is not UTF-8 text" in result.err

    @pytest.mark.parametrize("moment", [0, 4_102_444_800], ids=["1970", "2100"])
    def test_no_time_stamp_matters(self, forged: Workspace, tmp_path: Path, moment: int) -> None:
        before = stack(forged)
        for folder in (forged.folder, tmp_path / "cache"):
            for path in folder.rglob("*"):
                os.utime(path, (moment, moment))
        answer = forged.ok("forge", "--format", "json").json
        assert {part["name"]: part["reused"] for part in answer["components"]}["web"] is True
        assert stack(forged) == before
        changed(forged)
        os.utime(forged.folder / "input/config.yaml", (moment, moment))
        forged.ok("forge")
        assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]
