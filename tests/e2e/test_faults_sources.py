"""A registry that goes away while a stack is fetched from it: nothing in the cluster has changed, and the next run succeeds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.e2e.cluster import Cluster
from tests.e2e.stacks import Forged, assert_contents, everything_is_ready
from tests.faults.server import Fault, Faults
from tests.servers import registry, relay

pytestmark = pytest.mark.e2e
SERVED = 2


@dataclass(frozen=True, kw_only=True)
class Leaving(Faults):
    """The first `SERVED` requests are answered, and none after them."""

    seen: Iterator[int] = field(default_factory=itertools.count)

    def of(self, path: str, attempt: int) -> Fault | None:
        return Fault.HANG_UP if next(self.seen) >= SERVED else None


def test_a_registry_that_goes_away_in_the_middle(forged: Forged, own_cluster: Cluster, tmp_path: Path) -> None:
    shop = forged()
    with (
        registry.without_login(tmp_path) as stored,
        relay.before(stored.port, Faults()) as between,
    ):
        repository = f"oci://{between.host}/team/shop"
        shop.succeeds("push", "--to", repository, "--tag", "stable", "-q")
        between.faults = Leaving()
        said = shop.fails("deploy", "--yes", "-q", f"{repository}:stable")
        assert between.host in said
        assert_contents(own_cluster, own_cluster.ground)
        between.faults = Faults()
        shop.succeeds("deploy", "--yes", "-q", f"{repository}:stable")
    assert everything_is_ready(own_cluster)
