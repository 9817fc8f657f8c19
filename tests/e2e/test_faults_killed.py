"""``kill -9`` of deploy, rollback and remove at random moments (4, or with ``--all-faults`` 20): run again, each goes on, and nothing is lost.

A moment is a number of requests to the API server: a share of those of an undisturbed run, so that it does not depend on how
fast the machine is.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e import interference
from tests.e2e.cluster import Cluster
from tests.e2e.interference import Interference, Relay
from tests.e2e.stacks import NAME, Forged, Shop, assert_contents, everything_is_ready

pytestmark = pytest.mark.e2e
SEED = 21
FRACTIONS = (0.1, 0.95)
"""Of the requests of an undisturbed run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way to the API server: its requests are counted on it."""

    relay: Relay
    kubeconfig: Path

    def deploy(self, shop: Shop) -> int:
        """Deploy to the end; the number of requests that it took."""
        before = self.relay.requests
        shop.succeeds("deploy", "--yes", "-q", "--kubeconfig", str(self.kubeconfig))
        return self.relay.requests - before

    def kill(self, shop: Shop, requests: int, *arguments: str) -> None:
        """Run the program, and kill it after so many requests. Its lease is taken away from it."""
        last = self.relay.requests + requests
        process = shop.start(*arguments, "--kubeconfig", str(self.kubeconfig))
        while process.poll() is None and self.relay.requests < last:
            time.sleep(0.005)
        process.kill()
        said, _ = process.communicate()
        assert process.returncode in (0, -9), said
        # Its lease would expire after 30 s; `test_faults_two` waits for that once.
        shop.cluster.kubectl("delete", "lease", "--ignore-not-found", "-n", "cluster-forge", f"deploy-{NAME}")


@pytest.fixture
def kills(pytestconfig: pytest.Config) -> int:
    return 20 if pytestconfig.getoption("--all-faults") else 4


@pytest.fixture
def way(own_cluster: Cluster, tmp_path: Path) -> Iterator[Way]:
    with interference.before(own_cluster, Interference()) as relay:
        yield Way(relay=relay, kubeconfig=interference.kubeconfig(relay, tmp_path))


def test_deploy(forged: Forged, own_cluster: Cluster, way: Way, kills: int) -> None:
    versions = ("1.0.0", "1.1.0")
    way.deploy(forged())
    took = way.deploy(forged(version=versions[1]))
    for number, moment in enumerate(moments("deploy", kills, took)):
        shop = forged(version=versions[number % 2])
        way.kill(shop, moment, "deploy", "--yes", "-q")
        way.deploy(shop)
        assert everything_is_ready(own_cluster, versions[number % 2])
        shop.succeeds("diff")
    results = [one["result"] for one in history(forged())]
    assert "interrupted" in results
    assert "running" not in results


def test_deploy_to_an_empty_cluster(forged: Forged, own_cluster: Cluster, way: Way, kills: int) -> None:
    shop = forged()
    took = way.deploy(shop)
    for moment in moments("first", fewer(kills), took):
        shop.succeeds("remove", "--yes", "-q", "--data")
        way.kill(shop, moment, "deploy", "--yes", "-q")
        way.deploy(shop)
        assert everything_is_ready(own_cluster)
        shop.succeeds("diff")


def test_rollback(forged: Forged, own_cluster: Cluster, way: Way, kills: int) -> None:
    old, new = forged(), forged(version="1.1.0")
    way.deploy(old)
    took = way.deploy(new)
    for moment in moments("rollback", fewer(kills), took):
        way.deploy(new)
        way.kill(new, moment, "rollback", "--yes", "-q")
        newest = max(history(new), key=lambda one: int(one["number"]))
        if not newest["cause"] or newest["result"] != "deployed":
            new.succeeds("rollback", "--yes", "-q")
        assert everything_is_ready(own_cluster)
        old.succeeds("diff")


def test_remove(forged: Forged, own_cluster: Cluster, way: Way, kills: int) -> None:
    shop, before = forged(), own_cluster.contents()
    took = way.deploy(shop)
    for moment in moments("remove", fewer(kills), took):
        way.kill(shop, moment, "remove", "--yes", "-q", "--data")
        done = shop.program("remove", "--yes", "-q", "--data")
        assert done.returncode == 0 or "no stack is deployed to" in done.stderr, done.stdout + done.stderr
        assert_contents(own_cluster, before)
        way.deploy(shop)


def fewer(kills: int) -> int:
    return max(1, kills // 3)


def moments(what: str, count: int, requests: int) -> Iterator[int]:
    """When a run is killed that makes about so many requests, by seed."""
    chance = random.Random(f"{SEED} {what}")
    return (round(requests * chance.uniform(*FRACTIONS)) for _ in range(count))


def history(shop: Shop) -> list[dict[str, str]]:
    releases: list[dict[str, str]] = json.loads(shop.succeeds("history", "--format", "json"))["releases"]
    return releases
