"""Which files ruff and pytest look at: both skip folders called ``build`` unless they are configured otherwise."""

from __future__ import annotations

import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.mark.parametrize("folder", ["src", "tests", "tools"])
def test_ruff_checks_every_file(folder: str) -> None:
    command = [str(Path(sys.executable).with_name("ruff")), "check", "--no-cache", "--show-files", folder]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    checked = set(map(Path, done.stdout.split("\n")))
    golden = PROJECT / "tests/golden"
    files = {path for path in (PROJECT / folder).rglob("*.py") if not path.is_relative_to(golden)}
    assert files - checked == set()


def test_pytest_looks_for_tests_in_every_folder_that_has_some(pytestconfig: pytest.Config) -> None:
    folders = {path.parent.relative_to(PROJECT) for path in (PROJECT / "tests").rglob("test_*.py")}
    skipped = pytestconfig.getini("norecursedirs")
    assert [path for path in folders if any(fnmatch(part, name) for part in path.parts for name in skipped)] == []
