"""An order in which each part comes after those that it needs, and parts of definitions alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.errors import OrderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import order
from cluster_forge.manifests.identity import ObjectId

CRD = ObjectId(group="apiextensions.k8s.io", kind="CustomResourceDefinition", namespace="", name="x")
NAMESPACE = ObjectId(group="", kind="Namespace", namespace="", name="x")
SERVICE = ObjectId(group="", kind="Service", namespace="x", name="x")


def after(**needs: str) -> dict[ComponentName, list[ComponentName]]:
    return {ComponentName(name): [ComponentName(other) for other in others.split()] for name, others in needs.items()}


def test_definitions_alone_are_first() -> None:
    assert order.is_first([CRD, NAMESPACE])
    assert not order.is_first([CRD, SERVICE])
    assert not order.is_first([])


def test_a_need_outside_of_the_stack_is_ignored() -> None:
    assert order.sequence(after(a="elsewhere")) == ["a"]


def test_a_cycle_is_shown() -> None:
    with pytest.raises(OrderError, match=r"c → a → b → c|a → b → c → a|b → c → a → b"):
        order.sequence(after(a="b", b="c", c="a"))


@given(st.lists(st.sets(st.integers(0, 9), max_size=4), min_size=1, max_size=10))
def test_without_cycles_every_name_comes_after_its_needs(needs: list[set[int]]) -> None:
    wanted = {
        ComponentName(f"u{number}"): [ComponentName(f"u{other}") for other in others if other < number]
        for number, others in enumerate(needs)
    }
    place = {name: number for number, name in enumerate(order.sequence(wanted))}
    assert all(place[name] > place[other] for name, others in wanted.items() for other in others)
