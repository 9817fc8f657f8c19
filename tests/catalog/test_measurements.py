"""The packaged facts say what sizes are for."""

from __future__ import annotations

import pytest

from cluster_forge.catalog import measurements
from cluster_forge.foundation import quantity

FACTS = measurements.packaged()


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("what", ["storage", "cpu", "memory"])
def test_a_large_platform_has_no_less_than_a_small_one(name: str, what: str) -> None:
    small, large = (quantity.parse(FACTS[name][size][what]) for size in ("small", "large"))
    assert large > small if small and what == "storage" else large >= small
