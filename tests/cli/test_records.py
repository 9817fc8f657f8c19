"""What a workspace keeps of its runs: a log of each, the history of what was cast, and timings."""

from __future__ import annotations

import getpass
import hashlib
import json
import platform
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge import __version__
from cluster_forge.cli.arguments import without_secrets

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Workspace


def history(workspace: Workspace) -> list[dict[str, Any]]:
    path = workspace.folder / ".cluster-forge" / "history.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def digest(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


class TestLog:
    def test_records_the_run_from_its_arguments_to_its_exit_code(self, workspace: Workspace) -> None:
        workspace.ok("forge", "--offline", "--mirror", workspace.mirror())
        (log,) = workspace.logs()
        first, last = log[0], log[-1]
        assert (first["event"], first["verb"], first["tool"]) == ("run", "forge", __version__)
        assert first["arguments"][:3] == ["-C", str(workspace.folder), "forge"]
        assert first["python"] == platform.python_version()
        assert first["platform"].startswith(f"{platform.system()} ")
        assert (last["event"], last["code"], last["errors"]) == ("end", 0, [])
        assert last["seconds"] >= max(entry.get("at", 0) for entry in log)
        times = [entry["time"] for entry in log]
        assert times == sorted(times)
        assert all(time.endswith("Z") for time in times)
        fetched = {
            entry["item"]: entry for entry in log if (entry["event"], entry.get("stage")) == ("advanced", "mine")
        }
        assert fetched["shop"]["digest"] == digest(workspace.folder / "mirror/shop.tgz")
        assert fetched["shop"]["seconds"] >= 0
        packed = [entry for entry in log if (entry["event"], entry.get("item")) == ("advanced", "image")]
        assert packed[0]["digest"] == history(workspace)[0]["image"]

    def test_is_called_by_time_verb_and_process(self, workspace: Workspace) -> None:
        workspace.ok("smelt") if workspace.run("mine").code == 0 else None
        names = sorted(path.name for path in (workspace.folder / ".cluster-forge/log").iterdir())
        assert len(names) == 2
        assert all(re.fullmatch(r"\d{8}T\d{6}\.\d{3}Z-(mine|smelt)-\d+\.jsonl", name) for name in names)
        assert [name.split("-")[1] for name in names] == ["mine", "smelt"]

    @pytest.mark.parametrize("verb", ["mine", "smelt", "cast", "forge"])
    def test_errors_are_recorded_as_in_json(self, workspace: Workspace, verb: str) -> None:
        workspace.replace("input/config.yaml", "namespace: web", "namspace: web")
        result = workspace.run(verb, "--format", "json")
        last = workspace.logs()[0][-1]
        assert (last["code"], last["errors"]) == (result.code, result.json["errors"])

    def test_a_bug_is_recorded(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def broken(_: object) -> object:
            raise BrokenPipeError("not that of stdout")

        monkeypatch.setattr("cluster_forge.composition.services", broken)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        assert workspace.run("forge").code == 70
        (error,) = workspace.logs()[0][-1]["errors"]
        assert (error["type"], error["message"]) == ("BrokenPipeError", "not that of stdout")

    def test_the_last_twenty_are_kept(self, workspace: Workspace) -> None:
        for _ in range(23):
            workspace.run("cast", "-q")
        assert len(workspace.logs()) == 20

    def test_no_secret_gets_into_it(self, workspace: Workspace) -> None:
        address = "https://someone:geheim@charts.example.com/a.yaml?token=geheim"
        workspace.replace("input/config.yaml", "manifests: [extras/]", f"manifests: ['{address}']")
        result = workspace.run("forge", "--offline", "--mirror", address)
        assert result.code != 0
        result = workspace.run("forge", "--offline", f"--mirror={address}")
        workspace.run("forge", "--offline")
        assert len(workspace.logs()) == 3
        for path in (workspace.folder / ".cluster-forge").rglob("*"):
            assert not path.is_file() or "geheim" not in path.read_text()

    def test_of_verbs_that_only_read_there_is_none(self, workspace: Workspace) -> None:
        for arguments in (("config", "show"), ("config", "validate"), ("convert",), ("help", "errors")):
            workspace.ok(*arguments)
        assert not (workspace.folder / ".cluster-forge").exists()

    def test_no_workspace_no_log(self, empty: Workspace) -> None:
        assert empty.run("forge").code == 10
        assert not (empty.folder / ".cluster-forge/log").exists()

    def test_where_it_cannot_be_written_there_is_none_and_the_run_succeeds(self, workspace: Workspace) -> None:
        workspace.write({".cluster-forge/log": "in the way"})
        assert "log of this run" not in workspace.ok("forge").err
        assert "this run is not logged: File exists\n" in workspace.ok("cast", "-v").err


class TestHistory:
    def test_a_line_for_each_stack_that_was_cast(self, workspace: Workspace) -> None:
        workspace.ok("mine")
        workspace.ok("smelt")
        assert history(workspace) == []
        workspace.ok("cast")
        workspace.ok("forge", "--environment", "production")
        first, second = history(workspace)
        stack = json.loads(workspace.read("stacks/demo.production/stack.json"))
        assert (first["folder"], second["folder"]) == ("stacks/demo", "stacks/demo.production")
        assert (second["image"], second["commit"]) == (stack["image"]["digest"], stack["git"]["commit"])
        assert (second["revision"], second["stack"]) == (stack["version"], "demo")
        assert [entry["verb"] for entry in (first, second)] == ["cast", "forge"]
        assert second["arguments"][2:] == ["forge", "--environment", "production"]
        assert (first["user"], first["host"], first["tool"]) == (getpass.getuser(), platform.node(), __version__)
        assert first["description"] == {"input/config.yaml": digest(workspace.folder / "input/config.yaml")}
        assert first["lock"] == digest(workspace.folder / "cluster-forge.lock")

    def test_names_every_file_that_the_description_was_read_from(self, workspace: Workspace) -> None:
        workspace.replace("input/config.yaml", "name: demo\n", "name: demo\nextends: [../base.yaml]\n")
        workspace.replace("input/config.yaml", "  values: {", "  valuesFiles: [web.yaml]\n  values: {")
        workspace.write({"base.yaml": "apiVersion: cluster-forge/v1\nkind: Stack\n", "input/web.yaml": "replicas: 3\n"})
        workspace.write({"input/some.yaml": "- web\n- extras\n"})
        workspace.ok("forge", "--select", "some.yaml")
        read = ["base.yaml", "input/config.yaml", "input/some.yaml", "input/web.yaml"]
        assert history(workspace)[0]["description"] == {path: digest(workspace.folder / path) for path in read}

    def test_a_run_that_fails_has_none(self, workspace: Workspace) -> None:
        workspace.run("cast")
        workspace.write({"input/extras/one.yaml": "a: 1\n"})
        assert workspace.run("forge").code == 18
        assert history(workspace) == []

    def test_results_are_the_same_with_and_without_it(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        state = workspace.folder / ".cluster-forge"
        trees = workspace.tree("working"), workspace.tree("stacks")
        inputs = json.loads(workspace.read("working/.smelt.json"))["inputs"]
        workspace.ok("smelt")
        workspace.ok("cast")
        assert (workspace.tree("working"), workspace.tree("stacks")) == trees
        shutil.rmtree(state)
        workspace.ok("cast")
        workspace.ok("smelt")
        assert (workspace.tree("working"), workspace.tree("stacks")) == trees
        assert json.loads(workspace.read("working/.smelt.json"))["inputs"] == inputs

    def test_a_stack_whose_line_cannot_be_written_is_cast_with_a_warning(self, workspace: Workspace) -> None:
        (workspace.folder / ".cluster-forge/history.jsonl").mkdir(parents=True)
        result = workspace.ok("forge", "-q")
        assert result.err.startswith(
            "warning: the stack was cast, but .cluster-forge/history.jsonl cannot be written: "
        )

    @pytest.mark.parametrize("before", [None, "*\n"])
    def test_git_keeps_it_and_nothing_else_of_the_folder(self, workspace: Workspace, before: str | None) -> None:
        if before is not None:
            workspace.write({".cluster-forge/.gitignore": before})
        workspace.ok("forge")
        git = ("git", "-C", str(workspace.folder))
        subprocess.run([*git, "init", "-q"], check=True)
        shown = subprocess.run(
            [*git, "ls-files", "--others", "--exclude-standard", ".cluster-forge"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stdout.split() == [".cluster-forge/.gitignore", ".cluster-forge/history.jsonl"]


class TestTimings:
    def test_tell_stages_and_the_slowest_at_the_end(self, workspace: Workspace) -> None:
        result = workspace.ok("forge", "--timings")
        timings = result.err[result.err.index("timings (") :]
        assert "\n  cast " in timings
        assert "\nslowest:\n" in timings
        assert "timings" not in workspace.ok("forge").err
        assert "timings" not in result.out

    def test_json(self, workspace: Workspace) -> None:
        result = workspace.ok("forge", "--timings", "--format", "json")
        timings = result.json["timings"]
        stages = {stage["stage"]: stage for stage in timings["stages"]}
        assert stages["cast"]["items"] == 3
        assert {item["stage"] for item in timings["slowest"]} <= stages.keys()
        seconds = [item["seconds"] for item in timings["slowest"]]
        assert seconds == sorted(seconds, reverse=True)
        assert "timings" not in result.err
        assert "timings" not in workspace.ok("forge", "--format", "json").json

    def test_quiet(self, workspace: Workspace) -> None:
        assert workspace.ok("forge", "-q", "--timings").err == ""


def test_arguments_without_secrets() -> None:
    typed = ["forge", "--mirror=https://u:p@example.com/x?y=z", "--password", "p", "--api-token=p", "--jobs", "2"]
    typed += ["https://me:p p@example.com/x", "text https://me:p@example.com/x, and"]
    kept = ["forge", "--mirror=https://example.com/x", "--password", "…", "--api-token=…", "--jobs", "2"]
    kept += ["https://example.com/x", "text https://example.com/x, and"]
    assert without_secrets(typed) == kept
