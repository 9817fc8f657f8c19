"""Hand edits: every message says what to type, and what is thrown away is listed and copied."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Result, Workspace, config_map

FILE = "working/web/deployment.apps_web_web.yaml"
SOURCED = "input/web/manifests/sourced"


@pytest.fixture
def edited(workspace: Workspace) -> Workspace:
    workspace.ok("forge")
    workspace.replace(FILE, "replicas: 2", "replicas: 77")
    return workspace


def commands(result: Result) -> list[list[str]]:
    """The command lines that a message says to type."""
    return [line.split()[1:] for line in re.findall(r"`(cluster-forge [^`]+)`", result.err)]


def copies(workspace: Workspace) -> list[Path]:
    return sorted((workspace.folder / ".cluster-forge/discarded").glob("*"))


def without_place(words: list[str]) -> list[str]:
    """A command line without ``-C WORKSPACE``, which `Workspace.run` adds."""
    return words[2:] if words[0] == "-C" else words


class TestWayOut:
    def test_of_an_edit_whose_component_is_gone(self, edited: Workspace) -> None:
        edited.ok("forge", "--discard-edits")
        (file,) = (edited.folder / "working/spare").glob("*.yaml")
        file.write_text(f"# mine\n{file.read_text()}")
        edited.replace("input/config.yaml", "- spare\n", "")
        assert "its component is not in the stack any more" in edited.run("forge", "--merge", "ours").err
        typed = [without_place(words) for words in commands(edited.run("forge"))]
        assert typed == [["forge", "--merge", "theirs"]]
        assert file.exists()
        edited.ok(*typed[0])
        assert not file.exists()
        copy = copies(edited)[-1]
        assert (copy / "edits.txt").read_text() == f"edited working/spare/{file.name}\n"
        assert (copy / "files/working/spare" / file.name).read_text().startswith("# mine\n")

    @pytest.mark.parametrize("number", [0, 1])
    def test_of_cast_with_edits_and_a_changed_description(self, edited: Workspace, number: int) -> None:
        edited.write({"input/extras/more.yaml": config_map("more")})
        typed = [without_place(words) for words in commands(edited.run("cast"))]
        assert typed == [["smelt"], ["cast", "--stale"]]
        edited.ok(*typed[number])
        assert "replicas: 77" in edited.read(FILE)

    @pytest.mark.parametrize("selection", [("--skip", "extras"), ("--environment", "production")])
    def test_of_edits_and_another_selection(self, edited: Workspace, selection: tuple[str, str]) -> None:
        result = edited.run("forge", *selection)
        assert "working/ holds the stack 'demo'" in result.err
        casting, discarding = (without_place(words) for words in commands(result))
        assert casting == ["cast"]
        assert discarding == ["forge", "--discard-edits", *selection]
        edited.ok(*casting)
        edited.ok(*discarding)
        (copy,) = copies(edited)
        assert (copy / "edits.txt").read_text() == f"edited {FILE}\n"

    def test_of_edits_and_another_stack(self, edited: Workspace) -> None:
        edited.replace("input/config.yaml", "name: demo", "name: other")
        result = edited.run("forge")
        assert "working/ holds the stack 'demo'" in result.err
        assert [without_place(words) for words in commands(result)] == [["forge", "--discard-edits"]]
        assert "working/: holds the stack 'demo', not 'other'" in edited.run("cast", "--stale").err
        assert not (edited.folder / "stacks/other").exists()


class TestDiscarding:
    @pytest.mark.parametrize("verb", ["smelt", "forge"])
    def test_lists_the_edits_and_keeps_a_copy(self, edited: Workspace, verb: str) -> None:
        (edited.folder / "working/web/new.yaml").write_text("a: b\n")
        (edited.folder / "working/extras/configmap_extras_one.yaml").unlink()
        (edited.folder / "working/.idea").mkdir()
        (edited.folder / "working/.idea/notes").write_text("mine\n")
        mine = edited.read(FILE)
        result = edited.ok(verb, "--discard-edits")
        (copy,) = copies(edited)
        listed = f"""\
    added working/.idea/notes
    deleted working/extras/configmap_extras_one.yaml
    edited {FILE}
    added working/web/new.yaml
"""
        place = f".cluster-forge/discarded/{copy.name}"
        assert f"warning[hand-edited]: working/: 4 hand edits discarded; a copy is in {place}:\n{listed}" in result.err
        assert f"`cp -R {place}/files/. .`, then `cluster-forge cast`" in result.err
        wrong = [
            line for line in result.out.splitlines() if re.fullmatch("nothing changed since the last [a-z]+", line)
        ]
        assert not wrong, "something did: the edits are gone"
        assert (copy / "files" / FILE).read_text() == mine
        assert (copy / "files/working/.idea/notes").read_text() == "mine\n"
        assert not (edited.folder / "working/.idea").exists(), "also if nothing else changed"

    def test_can_be_undone_as_the_message_says(self, edited: Workspace) -> None:
        mine = edited.read(FILE)
        result = edited.ok("forge", "--discard-edits")
        (line,) = re.findall(r"`(cp -R [^`]+)`", result.err)
        subprocess.run(line, shell=True, check=True, cwd=edited.folder)
        assert edited.read(FILE) == mine
        edited.ok("cast")
        assert edited.run("cast", "--diff").code == 0

    def test_is_in_the_json_document(self, edited: Workspace) -> None:
        document = json.loads(edited.ok("forge", "--discard-edits", "--format", "json").out)
        (copy,) = copies(edited)
        assert document["discarded"] == [
            {"copy": f".cluster-forge/discarded/{copy.name}", "edits": [{"file": FILE, "change": "edited"}]}
        ]
        assert [finding["code"] for finding in document["findings"]].count("hand-edited") == 1

    def test_without_edits_keeps_nothing(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        workspace.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        workspace.ok("forge", "--discard-edits")
        assert copies(workspace) == []

    def test_over_a_damaged_record_keeps_what_differs(self, edited: Workspace) -> None:
        (edited.folder / "working/.smelt.json").write_text("{")
        result = edited.ok("forge", "--discard-edits")
        (copy,) = copies(edited)
        assert (copy / "edits.txt").read_text() == f"edited {FILE}\n"
        assert f"edited {FILE}" in result.err

    def test_leaves_the_copy_out_of_everything_that_is_built(self, edited: Workspace) -> None:
        edited.replace(FILE, "replicas: 77", "replicas: 77 # canary-5f2a")
        edited.ok("forge", "--discard-edits")
        assert copies(edited)
        built = [path for name in ("working", "stacks", "input") for path in (edited.folder / name).rglob("*")]
        assert not any(b"canary-5f2a" in path.read_bytes() for path in built if path.is_file())

    def test_stops_where_no_copy_can_be_kept(self, edited: Workspace, tmp_path: Path) -> None:
        (edited.folder / ".cluster-forge/discarded").symlink_to(tmp_path)
        mine = edited.read(FILE)
        result = edited.run("forge", "--discard-edits")
        assert result.code == 20
        assert "a link where a directory is needed" in result.err
        assert edited.read(FILE) == mine


class TestSourcedTree:
    @pytest.fixture
    def torn(self, workspace: Workspace) -> Workspace:
        workspace.ok("forge")
        self.file(workspace).write_text("<<<<<<< HEAD\na: [\n=======\n")
        return workspace

    @staticmethod
    def file(workspace: Workspace) -> Path:
        return workspace.folder / SOURCED / "deployment.apps_web.yaml"

    @pytest.mark.parametrize("words", [("mine",), ("mine", "--update"), ("forge",)])
    def test_edits_are_copied_before_they_are_overwritten(self, workspace: Workspace, words: tuple[str, ...]) -> None:
        workspace.ok("forge")
        before = self.file(workspace).read_text()
        self.file(workspace).write_text(f"# mine\n{before}")
        result = workspace.ok(*words)
        (copy,) = copies(workspace)
        assert self.file(workspace).read_text() == before
        assert (copy / "files" / SOURCED / self.file(workspace).name).read_text() == f"# mine\n{before}"
        assert f"edited {SOURCED}/{self.file(workspace).name}" in result.err

    def test_edits_are_known_also_where_the_result_changes(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        self.file(workspace).write_text(f"# mine\n{self.file(workspace).read_text()}")
        workspace.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        assert "1 hand edit discarded" in workspace.ok("mine").err
        workspace.replace("input/config.yaml", "replicas: 5", "replicas: 6")
        assert "discarded" not in workspace.ok("mine").err

    def test_smelt_says_that_edits_do_not_count(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        self.file(workspace).write_text(f"# mine\n{self.file(workspace).read_text()}")
        for _ in range(2):  # also where working/ is current
            result = workspace.ok("smelt")
            assert f"warning[hand-edited]: {SOURCED}/: web: has hand edits, which do not count" in result.err
            assert commands(result) == [["mine", "web"]]
        workspace.ok("mine", "web")
        assert "warning" not in workspace.ok("smelt").err

    def test_a_torn_file_stops_smelt_with_the_remedy(self, torn: Workspace) -> None:
        result = torn.run("smelt")
        assert result.code != 0
        assert f"error: {SOURCED}/{self.file(torn).name}:2: component web: not YAML" in result.err
        assert commands(result) == [["mine", "web"]]
        torn.ok(*commands(result)[0])
        torn.ok("smelt")
        (copy,) = copies(torn)
        assert "<<<<<<<" in (copy / "files" / SOURCED / self.file(torn).name).read_text()


def test_an_edited_deploy_script_is_copied_before_cast_replaces_it(workspace: Workspace) -> None:
    workspace.ok("forge")
    script = workspace.folder / "stacks/demo/deploy.sh"
    script.write_text(script.read_text() + "# mine\n")
    result = workspace.ok("cast")
    (copy,) = copies(workspace)
    assert "edited stacks/demo/deploy.sh" in result.err
    script.write_text(script.read_text() + "# mine\n")
    assert workspace.ok("forge", "--format", "json").json["discarded"][0]["edits"] == [
        {"file": "stacks/demo/deploy.sh", "change": "edited"}
    ]
    assert (copy / "files/stacks/demo/deploy.sh").read_text().endswith("# mine\n")
