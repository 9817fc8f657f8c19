"""The guides about deployments show what their commands print on the test cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.cluster import Cluster
from tests.e2e.flux import running as flux_running
from tests.servers import git_http

pytestmark = pytest.mark.e2e
PROJECT = Path(__file__).resolve().parents[2]


def check(page: str, cluster: Cluster, folder: Path, **settings: str) -> None:
    done = subprocess.run(
        [sys.executable, PROJECT / "tools/docs_examples.py", "--cluster", PROJECT / f"docs/guides/{page}.md"],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "TMPDIR": str(folder), **settings},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        pytest.fail(done.stdout, pytrace=False)


def test_the_direct_way(cluster: Cluster, tmp_path: Path) -> None:
    check("delivery", cluster, tmp_path)


def test_the_way_through_argo_cd(own_cluster: Cluster, argocd: str, tmp_path: Path) -> None:
    check("delivery-argocd", own_cluster, tmp_path)


def test_the_way_through_flux(own_cluster: Cluster, tmp_path: Path) -> None:
    with flux_running(own_cluster, tmp_path), git_http.taking_pushes(tmp_path) as url:
        check("delivery-flux", own_cluster, tmp_path, GIT_URL=url)
