"""A workspace that came from somewhere else: nothing outside of it is read, changed, removed or waited for."""

from __future__ import annotations

import json
import os
import shutil
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
