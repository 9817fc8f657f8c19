"""The example plug-ins, installed from their folders as a user installs them, into a folder of packages of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "plugins"
PACKAGES = ("cost-center", "s3-source")


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of packages. Nothing is fetched: the build backend is the one of this environment."""
    folder = tmp_path_factory.mktemp("packages")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--target", str(folder))
    finished = subprocess.run(
        [*pip, *offline, *(str(EXAMPLES / name) for name in PACKAGES)], check=False, capture_output=True, text=True
    )
    if finished.returncode:
        pytest.fail(finished.stderr, pytrace=False)
    return folder
