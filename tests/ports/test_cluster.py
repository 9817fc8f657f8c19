"""What a cluster says of itself."""

from __future__ import annotations

import pytest

from cluster_forge.ports.cluster import ClusterFacts


@pytest.mark.parametrize(
    ("version", "minor"),
    [("v1.33.4+k3s1", 33), ("1.29", 29), ("v1.30+", 30), ("v2.1.0", None), ("v1.99999.0", None), ("", None)],
)
def test_the_minor_version_is_read_as_servers_write_it(version: str, minor: int | None) -> None:
    assert ClusterFacts(context="", server="https://example.com", user="", version=version).minor == minor
