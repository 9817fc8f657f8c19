"""Waves: those that are set, and the others by the objects and the needs of a part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.errors import OrderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.order import STEP, Unit, waves

CRD = ObjectId(group="apiextensions.k8s.io", kind="CustomResourceDefinition", namespace="", name="x")
NAMESPACE = ObjectId(group="", kind="Namespace", namespace="", name="x")
SERVICE = ObjectId(group="", kind="Service", namespace="x", name="x")


def named(waves: dict[ComponentName, int]) -> dict[str, int]:
    return {str(name): wave for name, wave in waves.items()}


def unit(name: str, *after: str, wave: int | None = None, holds: tuple[ObjectId, ...] = (SERVICE,)) -> Unit:
    return Unit(name=ComponentName(name), wave=wave, after=frozenset(map(ComponentName, after)), holds=holds)


def test_definitions_come_first() -> None:
    assigned = waves([unit("app"), unit("operator", holds=(CRD, SERVICE)), unit("crds", holds=(CRD, NAMESPACE))])
    assert assigned == {"app": 0, "operator": -50, "crds": -100}


def test_needs_come_before() -> None:
    operator = unit("operator", holds=(CRD, SERVICE))
    assigned = named(waves([unit("shop", "db", "cache"), unit("db", "operator"), unit("cache"), operator]))
    assert assigned["shop"] > assigned["db"] > assigned["operator"]
    assert assigned["shop"] == assigned["cache"] + STEP


def test_a_wave_that_is_set_is_kept() -> None:
    assert named(waves([unit("a", "b", wave=-7), unit("b")]))["a"] == -7


def test_a_need_outside_of_the_stack_is_ignored() -> None:
    assert waves([unit("a", "elsewhere")]) == {"a": 0}


def test_a_cycle_is_shown() -> None:
    with pytest.raises(OrderError, match=r"c → a → b → c|a → b → c → a|b → c → a → b"):
        waves([unit("a", "b"), unit("b", "c"), unit("c", "a")])


@given(st.lists(st.sets(st.integers(0, 9), max_size=4), min_size=1, max_size=10))
def test_without_cycles_every_unit_comes_after_its_needs(needs: list[set[int]]) -> None:
    units = [
        unit(f"u{number}", *(f"u{other}" for other in others if other < number)) for number, others in enumerate(needs)
    ]
    assigned = waves(units)
    assert all(assigned[unit.name] > assigned[other] for unit in units for other in unit.after)
