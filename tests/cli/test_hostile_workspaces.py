"""A workspace that came from somewhere else: nothing outside of it is read, changed, removed or waited for."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from tests.cli.surroundings import posix

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

READING = [
    ["config", "validate"],
    ["config", "show"],
    ["secrets", "list"],
    ["catalog", "list"],
    ["cast", "--diff"],
]
STATE = ".cluster-forge"


def home(tmp_path: Path) -> Path:
    """A directory beside the workspace that belongs to the user."""
    folder = tmp_path / "home"
    (folder / "t").mkdir(parents=True)
    (folder / "t/README.md").write_text("of the user")
    (folder / "20000101T000000.000Z-cast-1.jsonl").write_text("of the user")
    return folder


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def plant(workspace: Workspace, name: str, target: str, elsewhere: str) -> Path:
    """A staging directory as a dead run of an earlier version left it, for a target of the attacker's choice."""
    aside = workspace.folder / STATE / name
    (aside / "0/new").mkdir(parents=True)
    (aside / "0/new/planted").write_text("x")
    (aside / "0/old-copy").mkdir()
    inode = (aside / "0/new").stat().st_ino
    moves = [{"target": target, "new": "0/new", "old": "0/old", "inode": number} for number in (inode, 0)]
    (aside / "moves.json").write_text(json.dumps(moves))
    (aside / "elsewhere.json").write_text(json.dumps([elsewhere]))
    (aside / "targets.json").write_text("0" * 64 + "\n" + json.dumps([target]))
    return aside


class TestRecovery:
    @pytest.mark.parametrize("verb", [*READING, ["smelt"], ["mine"], ["forge"]], ids=" ".join)
    @pytest.mark.parametrize("name", ["aside-1-dead", "aside-1-0badcafe-" + "0" * 32])
    def test_what_this_user_did_not_write_down_is_left_alone(
        self, forged: Workspace, tmp_path: Path, verb: list[str], name: str
    ) -> None:
        folder = home(tmp_path)
        relative = os.path.relpath(folder / "t", forged.folder / STATE / name)
        aside = plant(forged, name, relative, str(folder))
        before = snapshot(folder)
        assert forged.run(*verb).code in (0, 1)
        assert snapshot(folder) == before
        assert (aside / "moves.json").exists()

    def test_a_journal_of_another_user_is_left_alone(
        self, forged: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """The same workspace, killed in the middle by a user with another secret."""
        from cluster_forge.adapters.disk import atomic_replace  # noqa: PLC0415 - the test plays another user

        other = b"x" * 32
        aside = forged.folder / STATE / atomic_replace.staging_name(other)
        (aside / "0/new").mkdir(parents=True)
        (aside / "0/old").mkdir()
        target = forged.folder / "input"
        moves = [(target, (aside / "0/new").stat().st_ino)]
        (aside / "moves.json").write_bytes(atomic_replace.journal(moves, aside, forged.folder, other))
        before = snapshot(target)
        forged.ok("config", "validate")
        assert snapshot(target) == before
        assert aside.exists()

    def test_a_signed_journal_does_not_lead_out_of_the_workspace(self, forged: Workspace, tmp_path: Path) -> None:
        """As if a bug, or a link that changed since, had signed a target outside."""
        from cluster_forge.adapters.disk import atomic_replace, user_secret  # noqa: PLC0415 - only here

        folder, secret = home(tmp_path), user_secret.load()
        before = snapshot(folder)
        for target in (folder / "t", forged.folder, forged.folder / "gone", forged.folder / ".." / "home" / "t"):
            aside = forged.folder / STATE / atomic_replace.staging_name(secret)
            (aside / "0/new").mkdir(parents=True)
            (aside / "0/old-copy").mkdir()
            if target.name == "gone":
                target.symlink_to(folder / "t")
            moves = [(target, (aside / "0/new").stat().st_ino)]
            (aside / "moves.json").write_bytes(atomic_replace.journal(moves, aside, forged.folder, secret))
            forged.ok("config", "validate")
            assert snapshot(folder) == before
            assert (forged.folder / "input/config.yaml").exists()
            shutil.rmtree(aside)
            (forged.folder / "gone").unlink(missing_ok=True)


@posix
class TestState:
    @pytest.mark.parametrize("verb", [["config", "validate"], ["secrets", "list"], ["forge"], ["smelt"]], ids=" ".join)
    @pytest.mark.parametrize("name", ["", "/lock", "/lock.holder", "/log", "/history.jsonl", "/.gitignore"])
    def test_a_link_is_not_followed(self, workspace: Workspace, tmp_path: Path, verb: list[str], name: str) -> None:
        folder = home(tmp_path)
        is_folder = name in ("", "/log")
        target = folder if is_folder else folder / "file"
        if not is_folder:
            target.write_text("")
        place = workspace.folder / f"{STATE}{name}"
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(target)
        before = snapshot(folder)
        result = workspace.run(*verb)
        assert snapshot(folder) == before
        if verb[0] in ("forge", "smelt") and name != "/history.jsonl":
            assert result.code == 20
            assert f"{place}: a link where a " in result.err
            assert "fix: remove it" in result.err
        if verb == ["forge"] and name == "/history.jsonl":
            assert f"history.jsonl cannot be written: {place}: a link" in result.err

    @pytest.mark.parametrize("name", ["", "/lock", "/lock.holder", "/log", "/history.jsonl", "/.gitignore"])
    def test_a_pipe_does_not_block(self, workspace: Workspace, name: str) -> None:
        place = workspace.folder / f"{STATE}{name}"
        place.parent.mkdir(exist_ok=True)
        os.mkfifo(place)
        for verb in (["config", "validate"], ["forge"]):
            result = workspace.program(*verb)
            assert result.code in (0, 20), result.err
            if verb == ["forge"]:
                assert f"{name or STATE}: neither a file nor a directory (a pipe" in result.err

    @pytest.mark.parametrize("name", ["lock", "lock.holder", "history.jsonl", ".gitignore"])
    @pytest.mark.parametrize("content", ["", "of the user\n"])
    def test_a_hard_link_is_not_written_through(
        self, workspace: Workspace, tmp_path: Path, name: str, content: str
    ) -> None:
        folder = home(tmp_path)
        (folder / "file").write_text(content)
        (workspace.folder / STATE).mkdir()
        os.link(folder / "file", workspace.folder / STATE / name)
        before = snapshot(folder)
        workspace.ok("forge")
        workspace.ok("forge")
        assert snapshot(folder) == before
        history = (workspace.folder / STATE / "history.jsonl").read_text()
        assert history.startswith(content if name == "history.jsonl" else "{")
        assert history.count('"verb":"forge"') == 2

    def test_a_holder_of_the_lock_that_is_a_link_is_not_shown(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "private").write_text("private words")
        (workspace.folder / STATE).mkdir()
        with FileLock(workspace.folder / STATE / "lock"):
            (workspace.folder / STATE / "lock.holder").unlink(missing_ok=True)
            (workspace.folder / STATE / "lock.holder").symlink_to(tmp_path / "private")
            result = workspace.program("smelt")
        assert result.code == 20
        assert "private words" not in result.err
        assert "the workspace is in use by another process" in result.err

    @pytest.mark.parametrize("name", ["stacks", "working", "input", "cluster-forge.lock", "input/web"])
    @pytest.mark.parametrize(
        "make", [os.mkfifo, lambda path: Path(path).symlink_to("/dev/zero")], ids=["pipe", "device"]
    )
    def test_a_pipe_in_the_place_of_what_is_written_does_not_block(
        self, workspace: Workspace, name: str, make: Callable[[Path], None]
    ) -> None:
        place = workspace.folder / name
        if place.is_dir():
            shutil.rmtree(place)
        make(place)
        for verb in (["config", "validate"], ["smelt"], ["forge"], ["cast", "--diff"]):
            result = workspace.program(*verb)
            assert result.code in (0, 1, 10, 12, 20, 22), result.err
            assert result.code or verb != ["forge"] or name == "input/web"


@posix
@pytest.mark.parametrize("link", ["cluster-forge.lock", "private"])
def test_a_link_of_the_top_level_does_not_lead_to_files_elsewhere(
    workspace: Workspace, tmp_path: Path, link: str
) -> None:
    """`input`, `working` and `stacks` may lead out of the workspace, but nothing else: the file would be shown."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a.yaml").write_text("password: private words\n")
    is_file = link.endswith(".lock")
    (workspace.folder / link).symlink_to(secret / "a.yaml" if is_file else secret)
    if not is_file:
        workspace.replace("input/config.yaml", "name: demo\n", "name: demo\nextends: [../private/a.yaml]\n")
    for verb in (["config", "validate"], ["forge"]):
        result = workspace.run(*verb)
        assert "password" not in result.err
        assert result.code in (0, 10, 20) if verb[0] == "config" else result.code in (10, 20)


@posix
@pytest.mark.parametrize("place", ["working/deep", "stacks/demo/deep", "input/web/manifests/sourced/deep"])
def test_a_thousand_directories_in_each_other_are_refused(forged: Workspace, place: str) -> None:
    """Removing them was a bug report: Python's own removal calls itself for each of them."""
    folder = str(forged.folder / place)
    for _ in range(1_200):
        Path(folder).mkdir()
        folder += "/d"
    forged.replace("input/config.yaml", "replicas: 2", "replicas: 3")
    try:
        result = forged.run("forge")
    finally:
        subprocess.run(["rm", "-rf", forged.folder / place], check=True)
    assert result.code == 20, result.err
    assert "directories nested too deep (limit 100)" in result.err


def test_options_with_a_hole_of_a_terabyte_are_not_read(workspace: Workspace) -> None:
    (workspace.folder / "options").mkdir(exist_ok=True)
    (workspace.folder / "options/huge.yaml").write_text("")
    os.truncate(workspace.folder / "options/huge.yaml", 1 << 40)
    result = workspace.run("config", "validate", "--options", "huge")
    assert result.code == 10
    assert "options/huge.yaml: the options file is larger than 64 MiB" in result.err


class TestForeignFiles:
    @pytest.mark.parametrize("name", ["README.md", ".env", "bootstrap/own.yaml", "repo.git/.own", "a/b/c"])
    @pytest.mark.parametrize("verb", ["cast", "forge"])
    def test_cast_replaces_only_what_it_wrote(self, forged: Workspace, verb: str, name: str) -> None:
        path = f"stacks/demo/{name}"
        forged.write({path: "of the user"})
        forged.replace("input/config.yaml", "replicas: 2", "replicas: 3")
        forged.ok("smelt")
        before = forged.tree("stacks")
        result = forged.run(verb)
        assert result.code == 21
        assert f"stacks/demo/: has a file that cluster-forge did not write: {name}" in result.err
        assert "fix: move what is yours to another place" in result.err
        assert forged.tree("stacks") == before
        (forged.folder / path).unlink()
        forged.ok(verb)

    def test_a_folder_of_the_user_with_the_name_of_the_stack(self, workspace: Workspace) -> None:
        workspace.write({"stacks/demo/stack.json": "{}", "stacks/demo/notes/a": "x"})
        result = workspace.run("forge")
        assert result.code == 21
        assert "has files that cluster-forge did not write: notes/a, stack.json" in result.err

    def test_a_stack_of_an_earlier_version_is_replaced(self, forged: Workspace) -> None:
        """It has no record of its files, but a `stack.json`."""
        (forged.folder / "stacks/demo/.written").unlink()
        forged.replace("input/config.yaml", "replicas: 2", "replicas: 3")
        forged.write({"stacks/demo/README.md": "of the user"})
        assert "did not write: README.md" in forged.run("forge").err
        (forged.folder / "stacks/demo/README.md").unlink()
        forged.ok("forge")

    def test_edits_of_what_cast_wrote_do_not_block(self, forged: Workspace) -> None:
        for name in ("deploy.sh", "stack.json", "bootstrap/.DS_Store"):
            forged.write({f"stacks/demo/{name}": "torn"})
        forged.ok("cast")
        assert forged.read("stacks/demo/deploy.sh") != "torn"

    @pytest.mark.parametrize("name", [".gitkeep", ".git/HEAD", "web/.own"])
    def test_smelt_does_not_remove_hidden_files(self, forged: Workspace, name: str) -> None:
        forged.write({f"working/{name}": "of the user"})
        forged.replace("input/config.yaml", "replicas: 2", "replicas: 3")
        for verb in ("smelt", "forge"):
            result = forged.run(verb)
            assert result.code == 21
            assert f"working/: has hidden files that smelt did not write: {name}" in result.err
            assert forged.read(f"working/{name}") == "of the user"
        forged.ok("smelt", "--discard-edits")

    def test_a_working_folder_with_nothing_but_hidden_files(self, workspace: Workspace) -> None:
        workspace.write({"working/.git/HEAD": "of the user"})
        result = workspace.run("forge")
        assert result.code == 21
        assert "working/: has files that smelt did not write: .git/HEAD" in result.err

    def test_mine_replaces_only_what_it_wrote(self, workspace: Workspace) -> None:
        workspace.write({"input/web/manifests/sourced/own.yaml": "of the user"})
        for verb in ("mine", "forge"):
            result = workspace.run(verb)
            assert result.code == 21
            assert "input/web/manifests/sourced/: has a file that cluster-forge did not write: own.yaml" in result.err
            assert workspace.read("input/web/manifests/sourced/own.yaml") == "of the user"
            assert not (workspace.folder / "cluster-forge.lock").exists()


@posix
class TestLinks:
    """Folders that are written, as links that a clone brought."""

    @pytest.mark.parametrize(
        ("link", "target"),
        [
            ("stacks", "../home"),
            ("stacks", "{home}"),
            ("stacks/demo", "../input"),
            ("stacks/demo", "../.git"),
            ("stacks", "."),
            ("stacks", "input"),
            ("stacks/demo", ".."),
            ("working", "../home"),
            ("working", ".."),
            ("working", "."),
            ("working", "input"),
            ("working", ".git"),
            ("working", ".cluster-forge"),
            ("working", ".cluster-forge/log"),
            ("input/web/manifests/sourced", "../../../.git"),
            ("input/web/manifests/sourced", "../../.."),
            ("input/web/manifests/sourced", "../../extras"),
            ("input/web", "../../home"),
        ],
    )
    @pytest.mark.parametrize(
        "verb", [["forge"], ["forge", "--discard-edits"], ["smelt", "--discard-edits"]], ids=" ".join
    )
    def test_a_foreign_folder_behind_a_link_is_not_replaced(
        self, workspace: Workspace, tmp_path: Path, verb: list[str], link: str, target: str
    ) -> None:
        folder = home(tmp_path)
        (folder / "demo").mkdir()
        (folder / "demo/own").write_text("of the user")
        (folder / "manifests/sourced").mkdir(parents=True)
        (folder / "manifests/sourced/own.yaml").write_text("of the user")
        workspace.write({".git/HEAD": "ref", ".git/hooks/x.sample": "", "input/demo/own": "x", "demo/own": "x"})
        (workspace.folder / ".cluster-forge/log").mkdir(parents=True)
        workspace.write({".cluster-forge/log/x": "of the user"})
        workspace.ok("mine")
        place = workspace.folder / link
        if place.is_dir():
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target.format(home=folder))
        kept = {"input", ".git", "demo"} - {link.partition("/")[0]}
        before = [snapshot(folder), *(snapshot(workspace.folder / name) for name in sorted(kept))]
        result = workspace.run(*verb)
        assert [snapshot(folder), *(snapshot(workspace.folder / name) for name in sorted(kept))] == before
        assert workspace.read(".cluster-forge/log/x") == "of the user"
        if verb[0] == "forge":
            assert result.code in (20, 21), result.err
            assert "fix: " in result.err

    @pytest.mark.parametrize("target", [".git/hooks/post-checkout", "input/extras/empty", ".cluster-forge/x"])
    def test_the_lock_as_a_link_is_not_written_through(self, workspace: Workspace, target: str) -> None:
        workspace.write({".git/hooks/x": "", "input/extras/empty": ""})
        (workspace.folder / "cluster-forge.lock").symlink_to(target)
        result = workspace.run("forge")
        assert result.code == 20
        assert f"{workspace.folder}/cluster-forge.lock: a link where a file is needed" in result.err
        assert not (workspace.folder / target).exists() or not (workspace.folder / target).read_bytes()

    def test_the_stack_of_another_workspace_is_not_replaced(self, forged: Workspace, tmp_path: Path) -> None:
        """It has a record, but this workspace did not write it."""
        other = tmp_path / "other"
        shutil.copytree(forged.folder, other)
        shutil.rmtree(forged.folder / "stacks")
        (forged.folder / "stacks").symlink_to("../other/stacks")
        before = snapshot(other)
        forged.replace("input/config.yaml", "replicas: 2", "replicas: 3")
        result = forged.run("forge")
        assert result.code == 20
        assert f"stacks/demo: a link leads to {other}/stacks/demo, which this workspace did not write" in result.err
        assert "fix: remove the link, or let it lead to a directory that is empty" in result.err
        assert snapshot(other) == before


class TestSharedStore:
    """Another user may write to the store, and knows how entries are sealed, but not this user's secret."""

    @pytest.mark.parametrize("clone", [True, False], ids=["a fresh clone", "the same workspace"])
    def test_an_object_that_was_changed_in_the_store_is_not_shipped(
        self, forged: Workspace, tmp_path: Path, clone: bool
    ) -> None:
        store = tmp_path / "cache/cluster-forge"
        built = forged.tree("stacks")
        entries = [path for path in (store / "made").rglob("*") if path.is_file()]
        assert len({path.parent.parent.name for path in entries}) >= 4, "objects, apis, packed, descriptions, locks"
        for path in entries:
            content = path.read_bytes()[32:]
            kind = path.parent.parent.name
            for seal in (hashlib.sha256(content), hashlib.sha256(f"{kind} sha256:{path.name}\n".encode() + content)):
                path.write_bytes(seal.digest() + content[:-1] + b"x")
        if clone:
            shutil.rmtree(forged.folder / "input/web/manifests")
            shutil.rmtree(forged.folder / "working")
            shutil.rmtree(forged.folder / "stacks")
        lock = forged.read("cluster-forge.lock")
        forged.ok("forge")
        assert forged.tree("stacks") == built
        assert forged.read("cluster-forge.lock") == lock

    def test_a_result_that_differs_from_the_lock_is_refused(self, forged: Workspace) -> None:
        """The lock of a colleague, whose cache had something else."""
        old = str(forged.yaml("cluster-forge.lock")["components"]["web"]["rendered"])
        forged.replace("cluster-forge.lock", old, "sha256:" + "1" * 64)
        for verb in ("mine", "smelt", "forge"):
            result = forged.run(verb)
            assert result.code == 12
            assert f"the lock has sha256:{'1' * 64}, the result is {old}" in result.err
            assert "fix: " in result.err
        forged.ok("mine", "--update", "web")
        assert str(forged.yaml("cluster-forge.lock")["components"]["web"]["rendered"]) == old
