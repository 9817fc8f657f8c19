from __future__ import annotations

from pathlib import Path

import pytest

from cluster_forge.adapters.machine import LocalMachine


def script(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{content}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("content", "version"),
    [
        ("echo tool 1.2; echo more", "tool 1.2"),
        ("echo tool 1.2 >&2", "tool 1.2"),
        (r"printf '\033[31mtool\007 1.2\n'", "tool 1.2"),
        ("echo broken; exit 3", ""),
        ("exit 0", ""),
    ],
)
def test_the_first_line_of_a_program_is_its_version(tmp_path: Path, content: str, version: str) -> None:
    script(tmp_path, "tool", content)
    assert LocalMachine(str(tmp_path)).version("tool", "--version") == version


def test_a_program_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert LocalMachine(str(tmp_path)).version("tool") is None


def test_a_folder_need_not_be_there(tmp_path: Path) -> None:
    folder = LocalMachine().folder(str(tmp_path / "a" / "b"))
    assert folder.is_writable
    assert folder.free > 0


def test_a_file_in_the_place_of_a_folder_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert not LocalMachine().folder(str(tmp_path / "a" / "b")).is_writable


def test_modules_are_looked_for() -> None:
    assert LocalMachine().has_module("json")
    assert not LocalMachine().has_module("no_such_module")
