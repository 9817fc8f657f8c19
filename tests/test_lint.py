"""What the linter looks at: a pattern that excludes too much is invisible otherwise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.mark.parametrize("folder", ["src", "tests", "tools"])
def test_ruff_checks_every_file(folder: str) -> None:
    command = [str(Path(sys.executable).with_name("ruff")), "check", "--no-cache", "--show-files", folder]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    checked = set(map(Path, done.stdout.split()))
    golden = PROJECT / "tests/golden"
    files = {path for path in (PROJECT / folder).rglob("*.py") if not path.is_relative_to(golden)}
    assert files - checked == set()
