"""``kill -9`` of deploy, rollback and remove at random moments (8, or with ``--all-faults`` 20): run again, each goes on, and nothing is lost."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterator

import pytest
from tests.e2e.cluster import Cluster
from tests.e2e.stacks import NAME, Forged, Shop, assert_contents, everything_is_ready

pytestmark = pytest.mark.e2e
SEED = 21
FRACTIONS = (0.25, 0.9)
"""Of the time that an undisturbed run takes: the program itself starts before that."""


@pytest.fixture
def kills(pytestconfig: pytest.Config) -> int:
    return 20 if pytestconfig.getoption("--all-faults") else 8


def test_deploy(forged: Forged, own_cluster: Cluster, kills: int) -> None:
    versions = ("1.0.0", "1.1.0")
    deployed(forged())
    took = deployed(forged(version=versions[1]))
    for number, moment in enumerate(moments("deploy", kills, took)):
        shop = forged(version=versions[number % 2])
        kill(shop, moment, "deploy", "--yes", "-q")
        deployed(shop)
        assert everything_is_ready(own_cluster, versions[number % 2])
        shop.succeeds("diff")
    results = [one["result"] for one in history(forged())]
    assert "interrupted" in results
    assert "running" not in results


def test_deploy_to_an_empty_cluster(forged: Forged, own_cluster: Cluster, kills: int) -> None:
    shop = forged()
    took = deployed(shop)
    for moment in moments("first", kills // 3, took):
        shop.succeeds("remove", "--yes", "-q", "--data")
        kill(shop, moment, "deploy", "--yes", "-q")
        deployed(shop)
        assert everything_is_ready(own_cluster)
        shop.succeeds("diff")


def test_rollback(forged: Forged, own_cluster: Cluster, kills: int) -> None:
    old, new = forged(), forged(version="1.1.0")
    took = deployed(old)
    for moment in moments("rollback", kills // 3, took):
        deployed(new)
        kill(new, moment, "rollback", "--yes", "-q")
        newest = max(history(new), key=lambda one: int(one["number"]))
        if not newest["cause"] or newest["result"] != "deployed":
            new.succeeds("rollback", "--yes", "-q")
        assert everything_is_ready(own_cluster)
        old.succeeds("diff")


def test_remove(forged: Forged, own_cluster: Cluster, kills: int) -> None:
    shop, before = forged(), own_cluster.contents()
    took = deployed(shop)
    for moment in moments("remove", kills // 3, took):
        kill(shop, moment, "remove", "--yes", "-q", "--data")
        done = shop.program("remove", "--yes", "-q", "--data")
        assert done.returncode == 0 or "no stack is deployed to" in done.stderr, done.stdout + done.stderr
        assert_contents(own_cluster, before)
        deployed(shop)


def moments(what: str, count: int, seconds: float) -> Iterator[float]:
    """When a run is killed that takes about so long, by seed."""
    chance = random.Random(f"{SEED} {what}")
    return (seconds * chance.uniform(*FRACTIONS) for _ in range(count))


def deployed(shop: Shop) -> float:
    """Deploy to the end; the seconds that it took."""
    began = time.monotonic()
    shop.succeeds("deploy", "--yes", "-q")
    return time.monotonic() - began


def kill(shop: Shop, seconds: float, *arguments: str) -> None:
    """Run the program, and kill it after so many seconds. Its lease is taken away from it."""
    process = shop.start(*arguments)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    said, _ = process.communicate()
    assert process.returncode in (0, -9), said
    # Its lease would expire after 30 s; `test_faults_two` waits for that once.
    shop.cluster.kubectl("delete", "lease", "--ignore-not-found", "-n", "cluster-forge", f"deploy-{NAME}")


def history(shop: Shop) -> list[dict[str, str]]:
    releases: list[dict[str, str]] = json.loads(shop.succeeds("history", "--format", "json"))["releases"]
    return releases
