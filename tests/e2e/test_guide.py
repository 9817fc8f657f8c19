"""The guide about deployments shows what its commands print on the test cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.cluster import Cluster

pytestmark = pytest.mark.e2e
PROJECT = Path(__file__).resolve().parents[2]


def test_the_guide_shows_what_its_commands_print(cluster: Cluster, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, PROJECT / "tools/docs_examples.py", "--cluster", PROJECT / "docs/guides/delivery.md"],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "TMPDIR": str(tmp_path)},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        pytest.fail(done.stdout, pytrace=False)
