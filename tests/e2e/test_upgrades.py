"""Upgrades of real charts on a real API server: the old version deployed, then the new one, by `deploy` and by ``deploy.sh``.

Each pair passes, or stops before the first change with the reason. Two typical pairs run always, all of them with
``--upgrades``.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e import stacks, upgrades
from tests.e2e.cluster import Cluster
from tests.e2e.stand_in.webhooks import Webhooks
from tests.e2e.upgrades import Chart, Pair

pytestmark = [pytest.mark.e2e, pytest.mark.corpus]
WAYS = ["deploy", "deploy.sh"]
REFUSED = {
    "openbao": ("StatefulSet", "cannot change are different in the new version"),
    "kueue": ("CustomResourceDefinition", "objects may be stored in version"),
}
"""What is refused before the first change: StatefulSets with other fields, which cannot change; CRDs that lose the version of
their objects, of which there are none.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A workspace with the stack of a pair, in one version after the other."""

    folder: Path
    cluster: Cluster

    @property
    def stack(self) -> Path:
        return self.folder / "stacks" / "upgraded"

    def forge(self, pair: Pair, chart: Chart, **gitops: object) -> None:
        (self.folder / "input").mkdir(parents=True, exist_ok=True)
        (self.folder / "input" / "config.yaml").write_text(pair.description(chart, **gitops))
        mirror = str(upgrades.SHARED / "mirror")
        done = self.program("forge", "--offline", "--mirror", mirror)
        assert done.returncode == 0, done.stdout + done.stderr

    def program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return stacks.program(self.folder, self.cluster, *arguments)

    def deploy(self, way: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        if way == "deploy":
            return self.program("deploy", "--timeout", "300", "--format", "json", *arguments)
        return stacks.run(["sh", str(self.stack / "deploy.sh"), "--yes", "--timeout", "300", *arguments], self.cluster)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("--upgrades")
    chosen = [pair for pair in upgrades.pairs() if every or pair.is_typical]
    metafunc.parametrize("pair", chosen, ids=str)


@pytest.fixture
def workspace(own_cluster: Cluster, stand_in: Webhooks, tmp_path: Path) -> Workspace:
    return Workspace(folder=tmp_path / "workspace", cluster=own_cluster)


@pytest.mark.parametrize("way", WAYS)
def test_the_new_version_takes_the_place_of_the_old_one(
    pair: Pair, way: str, workspace: Workspace, record_property: Callable[[str, object], None]
) -> None:
    """With ``--junitxml`` and ``-o junit_family=xunit1`` the report has the number of requests of the last `deploy`."""
    workspace.forge(pair, pair.old)
    done = workspace.deploy(way)
    assert done.returncode == 0, done.stdout + done.stderr
    workspace.forge(pair, pair.new)
    done = workspace.deploy(way)
    if pair.old.name in REFUSED:
        assert done.returncode == {"deploy": 54, "deploy.sh": 3}[way], done.stdout + done.stderr
        assert all(words in done.stderr for words in (*REFUSED[pair.old.name], "--recreate"))
        # deploy.sh does not see whether a CRD has objects.
        done = workspace.deploy("deploy" if pair.old.name == "kueue" else way, "--recreate")
    assert done.returncode == 0, done.stdout + done.stderr
    if way == "deploy":
        record_property("requests", json.loads(done.stdout.splitlines()[-1])["requests"])
