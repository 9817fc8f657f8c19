"""init, mine, smelt, cast and forge as they are typed: the files they write, what they print, and exit codes."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.archives import archive
from tests.cli.conftest import CHART

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

FINDING = {"code", "severity", "component", "object", "where", "field", "message", "fix"}
COMPONENT = {"name", "version", "namespace", "wave", "objects", "reused"}
STAGE = {"command", "stack", "components", "objects", "findings", "edits", "discarded", "seconds"}


class TestInit:
    def test_writes_the_starter_and_prints_the_next_command(self, empty: Workspace) -> None:
        result = empty.ok("init")
        assert result.err == ""
        assert "input/config.yaml is the one to read and edit" in result.out
        assert result.out.splitlines()[-1] == f"next: cluster-forge -C {empty.folder} forge"
        assert empty.read("input/config.yaml").startswith("# yaml-language-server: $schema=https://")
        assert empty.ok("config", "validate").out == "starter: 7 components, no errors\n"

    def test_makes_the_folder_that_is_named(self, empty: Workspace) -> None:
        folder = empty.folder / "two words"
        result = empty.ok("init", "two words")
        assert (folder / "input" / "config.yaml").is_file()
        assert result.out.splitlines()[-1] == f"next: cluster-forge -C {shlex.quote(str(folder))} forge"

    def test_never_writes_over_an_input_folder(self, workspace: Workspace) -> None:
        before = workspace.tree(".")
        result = workspace.run("init")
        assert result.code == 20
        assert "input/ exists, and init never overwrites it" in result.err
        assert "fix: name another folder" in result.err
        assert workspace.tree(".") == before

    def test_json(self, empty: Workspace) -> None:
        answer = empty.ok("init", "--format", "json").json
        assert answer == {
            "command": "init",
            "files": len(empty.tree("input")),
            "seconds": answer["seconds"],
            "workspace": str(empty.folder),
        }

    def test_the_next_command_is_short_in_the_workspace(self, empty: Workspace) -> None:
        assert empty.program("init").out.splitlines()[-1] == "next: cluster-forge forge"


class TestForge:
    def test_the_starter_ends_with_a_summary_that_says_what_to_type_next(self, empty: Workspace) -> None:
        assert empty.program("init", "-q").out == ""
        result = empty.program("forge", "--offline")
        assert result.code == 0, result.err
        lines = result.out.splitlines()
        assert lines[0] == "stacks/starter holds the stack 'starter':"
        assert [line.split()[0] for line in lines[1:-3]] == [
            "components",
            "repo.git",
            "image",
            "images.txt",
            "bootstrap",
            "deploy.sh",
        ]
        assert lines[-3] == "the first cast of this stack"
        assert " for linux/amd64, linux/arm64" in lines[3]
        assert lines[-2].startswith("next: cluster-forge deploy starter ")
        assert lines[-1].startswith("  or: sh stacks/starter/deploy.sh --print ")
        printed = subprocess.run(
            lines[-1].removeprefix("  or: ").partition("   ")[0],
            shell=True,
            cwd=empty.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        assert printed.stdout.endswith("nothing was changed\n")
        assert "smelt  " in result.err
        assert "cast   " in result.err

    def test_the_script_to_run_is_quoted(self, workspace: Workspace, tmp_path: Path) -> None:
        strange = tmp_path / "it's here"
        workspace.folder.rename(strange)
        workspace.folder = strange
        line = workspace.ok("forge").out.splitlines()[-1]
        assert shlex.split(line)[1:4] == ["sh", f"{strange}/stacks/demo/deploy.sh", "--print"]

    def test_json_is_one_document_and_everything_for_people_is_on_stderr(self, workspace: Workspace) -> None:
        result = workspace.ok("forge", "--format", "json")
        answer = result.json
        assert answer.keys() == STAGE | {"cast", "changes"}
        assert (answer["command"], answer["stack"], answer["objects"], answer["findings"]) == ("forge", "demo", 5, [])
        parts = {part["name"]: part for part in answer["components"]}
        assert parts["web"] == {
            "name": "web",
            "version": "1.2.3",
            "namespace": "web",
            "wave": parts["extras"]["wave"] + 10,
            "objects": 1,
            "reused": False,
        }
        stack = json.loads(workspace.read("stacks/demo/stack.json"))
        cast = answer["cast"]
        assert cast["image"] == stack["image"]
        assert cast["git"] == {"commit": stack["git"]["commit"], "revision": stack["version"]}
        assert (cast["folder"], cast["components"], cast["objects"], cast["images"]) == ("stacks/demo", 4, 5, 1)
        assert "smelt" in result.err

    def test_again_gives_the_same_bytes_and_reads_what_was_mined(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        before = workspace.tree("stacks"), workspace.tree("working"), workspace.read("cluster-forge.lock")
        answer = workspace.ok("forge", "--format", "json").json
        assert {part["name"]: part["reused"] for part in answer["components"]}["web"] is True
        assert (workspace.tree("stacks"), workspace.tree("working"), workspace.read("cluster-forge.lock")) == before

    def test_quiet_says_nothing(self, workspace: Workspace) -> None:
        result = workspace.ok("forge", "-q")
        assert (result.out, result.err) == ("", "")

    def test_no_description_says_how_to_get_one(self, empty: Workspace) -> None:
        for verb in ("mine", "smelt", "cast", "forge", "convert"):
            result = empty.run(verb)
            assert result.code == 10
            assert "there is no input/config.yaml\n  fix: run `cluster-forge init`" in result.err

    @pytest.mark.parametrize("verb", ["mine", "smelt", "cast", "forge"])
    def test_what_cannot_be_done_is_refused_before_anything_is_written(self, workspace: Workspace, verb: str) -> None:
        gitops = "gitops: {engine: flux}\nimage: {base: example.com/Base:1}"
        workspace.replace("input/config.yaml", "gitops: {engine: none}", gitops)
        before = workspace.tree(".")
        result = workspace.run(verb)
        assert result.code == 10
        for line, word in ((4, "Flux"), (5, "Base")):
            assert re.search(rf"^error: input/config\.yaml:{line}: .*{word}", result.err, re.MULTILINE)
        assert result.err.endswith("2 errors\n")
        assert workspace.tree(".") == before

    def test_an_unknown_version_too(self, workspace: Workspace) -> None:
        workspace.replace("input/config.yaml", "gitops: {engine: none}", "target: {kubernetes: '1.24'}")
        result = workspace.run("forge")
        assert result.code == 10
        assert re.search(r"^error: input/config\.yaml:4: .*1\.24.*1\.25", result.err, re.MULTILINE)

    def test_nothing_is_left_of_a_component_that_was_taken_out(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        workspace.ok("forge", "--skip", "web")
        assert not any(path.startswith("web/") for path in workspace.tree("working"))
        narrowed = workspace.tree("stacks/demo+extras+spare")  # ADR 0022: the whole stack keeps a folder of its own
        assert narrowed
        assert b"nginx" not in b"".join(narrowed.values())


class TestStageByStage:
    def test_mine_smelt_and_cast_give_what_forge_gives(self, workspace: Workspace) -> None:
        result = workspace.ok("mine")
        assert result.out == f"1 component mined, 1 object; next: cluster-forge -C {workspace.folder} smelt\n"
        assert workspace.tree("input/web/manifests/sourced").keys() == {
            *("deployment.apps_web.yaml", ".origins", ".written")
        }
        assert not (workspace.folder / "working").exists()
        result = workspace.ok("smelt")
        assert result.out == f"5 objects in working/; next: cluster-forge -C {workspace.folder} cast\n"
        assert not (workspace.folder / "stacks").exists()
        workspace.ok("cast")
        apart = workspace.tree("stacks"), workspace.tree("working")
        workspace.ok("forge")
        assert (workspace.tree("stacks"), workspace.tree("working")) == apart

    def test_the_result_of_forge_can_be_cast_again(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        before = workspace.tree("stacks")
        result = workspace.ok("cast")
        assert "warning" not in result.err
        assert workspace.tree("stacks") == before

    def test_json_of_each(self, workspace: Workspace) -> None:
        for verb, count in (("mine", 1), ("smelt", 4), ("cast", 4)):
            answer = workspace.ok(verb, "--format", "json", "-q").json
            assert answer.keys() >= STAGE - {"edits"}
            assert answer["command"] == verb
            assert len(answer["components"]) == count
            assert all(part.keys() == COMPONENT for part in answer["components"])
            assert answer["objects"] == sum(part["objects"] for part in answer["components"])

    def test_nothing_to_mine(self, workspace: Workspace) -> None:
        assert workspace.ok("mine", "extras").out == "nothing to mine: every manifest is in input/ already\n"

    def test_update_moves_the_lock(self, workspace: Workspace) -> None:
        mirror = workspace.mirror()
        workspace.ok("mine", "--mirror", mirror, "--offline")
        lock = workspace.read("cluster-forge.lock")
        assert "version: 2.0.0" in lock
        index = workspace.yaml("mirror/index.yaml")
        newer = archive("shop", CHART | {"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 2.1.0\n"})
        (workspace.folder / "mirror" / "newer.tgz").write_bytes(
            newer
        )  # of that version: an archive of another is refused
        entry = {"version": "2.1.0", "file": "newer.tgz", "sha256": hashlib.sha256(newer).hexdigest()}
        index["charts"].append(index["charts"][0] | entry)
        (workspace.folder / "mirror" / "index.yaml").write_text(yaml.safe_dump(index))
        workspace.ok("mine", "--mirror", mirror, "--offline")
        assert workspace.read("cluster-forge.lock") == lock
        workspace.ok("mine", "--mirror", mirror, "--offline", "--update", "shop")
        assert "version: 2.1.0" in workspace.read("cluster-forge.lock")

    def test_smelt_of_what_was_never_mined_says_so(self, workspace: Workspace) -> None:
        workspace.mirror()
        result = workspace.run("smelt")
        assert result.code == 12
        assert "component shop: https://charts.example.com shop is not in cluster-forge.lock" in result.err
        assert "component widgets: https://example.com/crds.yaml is not in cluster-forge.lock" in result.err
        assert "run `cluster-forge mine shop`" in result.err
        assert result.err.endswith("2 errors\n")

    def test_cast_of_nothing_says_so(self, workspace: Workspace) -> None:
        result = workspace.run("cast")
        assert result.code == 22
        assert "smelt has not written working/ yet\n  fix: run `cluster-forge smelt`" in result.err


class TestFindings:
    @pytest.fixture
    def conflict(self, workspace: Workspace) -> Workspace:
        workspace.ok("forge")
        return workspace.write({"input/extras/two.yaml": "---\n\n" + _config_map("one", "other")})

    def test_an_error_changes_nothing_and_gives_1(self, conflict: Workspace) -> None:
        before = conflict.tree("working"), conflict.tree("stacks")
        for verb, text in (
            ("smelt", "working/ was not written: 1 error\n"),
            ("forge", "nothing was cast: 1 error\n"),
        ):
            result = conflict.run(verb)
            assert result.code == 1
            assert result.out == text
            assert "error[duplicate-object]: input/extras/two.yaml:3: extras ConfigMap/extras/one" in result.err
            assert "fix: remove one of the two" in result.err
        assert (conflict.tree("working"), conflict.tree("stacks")) == before

    def test_json_holds_them(self, conflict: Workspace) -> None:
        answer = conflict.run("forge", "--format", "json", "-q").json
        assert answer.keys() == STAGE | {"changes"}
        (finding,) = answer["findings"]
        assert finding.keys() == FINDING
        assert (finding["code"], finding["severity"], finding["component"]) == ("duplicate-object", "error", "extras")
        assert finding["object"] == "ConfigMap/extras/one"
        assert finding["where"] == "input/extras/two.yaml:3"

    def test_quiet_still_prints_errors(self, conflict: Workspace) -> None:
        result = conflict.run("forge", "-q")
        assert result.out == ""
        assert result.err.startswith("error[duplicate-object]")

    def test_one_kind_may_be_let_pass(self, conflict: Workspace) -> None:
        result = conflict.ok("forge", "--allow", "duplicate-object")
        assert "warning[duplicate-object]" in result.err
        assert "(1 warning)" in result.out
        assert json.loads(conflict.read("stacks/demo/stack.json"))["findings"] == {"error": 0, "warning": 1}
        assert conflict.run("forge", "--allow", "missing-crd").code == 1

    def test_verbose_prints_notices_too(self, legacy: Workspace) -> None:
        assert "notice[" not in legacy.ok("forge").err
        assert "notice[" in legacy.ok("forge", "-v").err
        assert "(1 notice: -v shows it)" in legacy.ok("forge").out
        assert "(1 notice)" in legacy.ok("forge", "-v").out


class TestHandEdits:
    FILE = "working/web/deployment.apps_web_web.yaml"

    @pytest.fixture
    def edited(self, workspace: Workspace) -> Workspace:
        workspace.ok("forge")
        workspace.replace(self.FILE, "replicas: 2", "replicas: 77")
        return workspace

    def test_are_never_overwritten_unasked(self, edited: Workspace) -> None:
        before = edited.tree("working")
        for verb in ("smelt", "forge"):
            edited.ok(verb)
        assert edited.tree("working") == before

    @pytest.mark.parametrize("verb", ["smelt", "forge"])
    def test_are_given_up_where_one_says_so(self, edited: Workspace, verb: str) -> None:
        edited.ok(verb, "--discard-edits")
        assert "replicas: 2" in edited.read(self.FILE)

    def test_are_cast_as_they_are(self, edited: Workspace) -> None:
        before = json.loads(edited.read("stacks/demo/stack.json"))
        result = edited.ok("cast")
        assert "warning[hand-edited]: working/: 1 file was edited by hand" in result.err
        assert "(1 warning)" in result.out
        after = json.loads(edited.read("stacks/demo/stack.json"))
        for key in ("version", "image", "git"):
            assert after[key] != before[key]
        committed = subprocess.run(
            ["git", "--git-dir", "stacks/demo/repo.git", "show", "main:web/deployment.apps_web_web.yaml"],
            cwd=edited.folder,
            capture_output=True,
            check=True,
        )
        assert b"replicas: 77" in committed.stdout
        assert b"replicas: 77" in b"".join(edited.tree("stacks/demo/bootstrap").values())

    def test_are_listed_in_json(self, edited: Workspace) -> None:
        (finding,) = edited.ok("cast", "--format", "json", "-q").json["findings"]
        assert (finding["code"], finding["severity"], finding["where"]) == ("hand-edited", "warning", "working/")

    def test_applications_are_pinned_to_what_was_edited(self, workspace: Workspace) -> None:
        workspace.replace("input/config.yaml", "gitops: {engine: none}", "gitops: {engine: argocd, install: false}")
        workspace.ok("forge")
        before = json.loads(workspace.read("stacks/demo/stack.json"))["version"]
        workspace.replace(self.FILE, "replicas: 2", "replicas: 77")
        workspace.ok("cast")
        after = json.loads(workspace.read("stacks/demo/stack.json"))["version"]
        assert after != before
        applications = _committed(workspace, "argo-apps/")
        assert len(applications) >= 3
        assert {application["spec"]["source"]["targetRevision"] for application in applications} == {after}
        assert f"targetRevision: {after}" in workspace.read("stacks/demo/bootstrap/root.yaml")

    def test_a_working_folder_that_smelt_did_not_write_is_left_alone(self, workspace: Workspace) -> None:
        workspace.write({"working/notes.txt": "mine\n"})
        result = workspace.run("smelt")
        assert result.code == 21
        assert "working/: has files that smelt did not write: notes.txt" in result.err
        assert workspace.read("working/notes.txt") == "mine\n"


class TestStale:
    @pytest.fixture
    def changed(self, workspace: Workspace) -> Workspace:
        workspace.ok("forge")
        workspace.replace("input/config.yaml", "replicas: 2", "replicas: 3")
        return workspace

    def test_is_refused(self, changed: Workspace) -> None:
        before = changed.tree("stacks")
        result = changed.run("cast")
        assert result.code == 22
        assert (
            "working/: out of date: description, lock, input/ or selection changed since the last smelt" in result.err
        )
        assert "--stale" in result.err
        assert changed.tree("stacks") == before

    def test_is_cast_where_one_says_so(self, changed: Workspace) -> None:
        before = changed.tree("stacks")
        result = changed.ok("cast", "--stale")
        assert "warning[stale]: working/: out of date, cast as it is" in result.err
        assert changed.tree("stacks") == before

    @pytest.mark.parametrize(
        ("path", "old", "new"),
        [
            ("input/extras/one.yaml", "'1'", "'2'"),
            ("input/charts/web/values.yaml", "nginx:1.29", "nginx:1.30"),
            ("input/config.yaml", "gitops: {engine: none}", "gitops: {engine: none}\ntarget: {kubernetes: '1.32'}"),
        ],
    )
    def test_every_input_counts(self, workspace: Workspace, path: str, old: str, new: str) -> None:
        workspace.ok("forge")
        workspace.replace(path, old, new)
        assert workspace.run("cast").code == 22

    def test_another_selection_counts_and_the_same_one_fits(self, workspace: Workspace) -> None:
        workspace.ok("smelt", "extras")
        assert workspace.run("cast").code == 22
        workspace.ok("cast", "extras")

    def test_comments_and_the_order_of_keys_do_not_count(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        workspace.replace("input/config.yaml", "components:\n", "# what there is\ncomponents:\n")
        workspace.ok("cast")


def _config_map(name: str, value: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{value: '{value}'}}\n"


def _committed(workspace: Workspace, folder: str) -> list[dict[str, dict[str, dict[str, str]]]]:
    """The objects in a folder of the cast repository."""
    git = ["git", "--git-dir", str(workspace.folder / "stacks" / "demo" / "repo.git")]
    names = subprocess.run(
        [*git, "ls-tree", "--name-only", "main", folder], capture_output=True, text=True, check=True
    ).stdout.split()
    texts = [subprocess.run([*git, "show", f"main:{name}"], capture_output=True, check=True).stdout for name in names]
    return [yaml.safe_load(text) for text in texts]
