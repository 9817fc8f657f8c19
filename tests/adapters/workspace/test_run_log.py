"""Logs and history of a workspace: lines never mix, whatever the clock and the disk do."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path

import pytest

from cluster_forge.adapters.workspace import RunLog, WorkspaceFiles, append_to_history, state_folder
from cluster_forge.adapters.workspace.run_log import KEPT
from cluster_forge.foundation.errors import WorkspaceError

FULL = Path("/dev/full")


@pytest.mark.parametrize("year", ["1999", "2999"])
def test_own_log_survives_a_wrong_clock(tmp_path: Path, year: str) -> None:
    folder = tmp_path / state_folder.FOLDER / "log"
    folder.mkdir(parents=True)
    for number in range(30):
        (folder / f"{year}0101T0000{number:02}Z-forge-1.jsonl").touch()
    RunLog(tmp_path, "cast").close()
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == KEPT
    assert sum("-cast-" in name for name in names) == 1
    RunLog(tmp_path, "smelt").close()
    assert sum("-cast-" in path.name for path in folder.iterdir()) == 1


def test_runs_with_equal_names_have_separate_logs(tmp_path: Path) -> None:
    for _ in range(3):
        log = RunLog(tmp_path, "cast")
        log.add({"event": "run"})
        log.close()
    texts = [path.read_text() for path in (tmp_path / state_folder.FOLDER / "log").iterdir()]
    assert [text.count("\n") for text in texts] == [1, 1, 1]


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_full_disk_ends_the_log_but_not_the_run(tmp_path: Path) -> None:
    log = RunLog(tmp_path, "cast")
    assert log._file
    log._file.close()
    log._file = FileIO(FULL, "a")
    log.add({"event": "run"})
    assert log.problem == "this run is not logged: No space left on device"
    log.add({"event": "end"})
    log.close()


def test_credentials_are_removed_from_addresses(tmp_path: Path) -> None:
    text = 'see "https://user:pass@example.com/a?token=x" and oci://token@host, user@host, https:/me@a/b?c: why?'
    append_to_history(tmp_path, {"text": text})
    history = (tmp_path / state_folder.FOLDER / state_folder.HISTORY).read_text()
    assert json.loads(history)["text"] == 'see "https://example.com/a" and oci://host, user@host, https:/a/b: why?'


def test_history_lines_never_mix(tmp_path: Path) -> None:
    def append(number: int) -> None:
        with WorkspaceFiles(tmp_path, patience=60).locked():
            append_to_history(tmp_path, {"number": number, "text": "x" * 2000})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(40)))
    lines = (tmp_path / state_folder.FOLDER / state_folder.HISTORY).read_text().splitlines()
    assert sorted(json.loads(line)["number"] for line in lines) == list(range(40))


def test_torn_last_line_does_not_damage_the_next_one(tmp_path: Path) -> None:
    append_to_history(tmp_path, {"number": 1})
    path = tmp_path / state_folder.FOLDER / state_folder.HISTORY
    path.write_bytes(path.read_bytes() + b'{"time": "2026')
    append_to_history(tmp_path, {"number": 2})
    first, torn, second = path.read_text().splitlines()
    assert (json.loads(first)["number"], torn, json.loads(second)["number"]) == (1, '{"time": "2026', 2)


def test_unwritable_history_is_an_error(tmp_path: Path) -> None:
    (tmp_path / state_folder.FOLDER).write_text("in the way")
    with pytest.raises(WorkspaceError, match=r"history\.jsonl cannot be written"):
        append_to_history(tmp_path, {})


@pytest.mark.parametrize(("before", "is_kept"), [("*\n", False), ("", False), ("*\n!lock\n", True)])
def test_edited_gitignore_is_kept(tmp_path: Path, before: str, is_kept: bool) -> None:
    folder = tmp_path / state_folder.FOLDER
    folder.mkdir()
    (folder / ".gitignore").write_text(before)
    state_folder.prepare(folder)
    after = (folder / ".gitignore").read_text()
    assert after == (before if is_kept else "*\n!.gitignore\n!history.jsonl\n")


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_logs_and_history_are_for_the_user_alone(tmp_path: Path) -> None:
    state = tmp_path / state_folder.FOLDER
    (state / "log").mkdir(parents=True, mode=0o755)
    (state / state_folder.HISTORY).touch(0o644)  # of an earlier version
    before = os.umask(0)
    try:
        log = RunLog(tmp_path, "cast")
        log.add({"event": "run"})
        log.close()
        append_to_history(tmp_path, {"number": 1})
    finally:
        os.umask(before)
    (file,) = (state / "log").iterdir()
    assert [oct(path.stat().st_mode & 0o777) for path in (state / "log", file, state / state_folder.HISTORY)] == [
        "0o700",
        "0o600",
        "0o600",
    ]
