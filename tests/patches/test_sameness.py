from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from tests.patches.trees import free_values

from cluster_forge.patches.sameness import ABSENT, alike, same

LARGE = 2**70


@given(free_values, free_values)
def test_the_same_values_are_the_same_json(one: Any, other: Any) -> None:
    assert same(one, other) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


@pytest.mark.parametrize(
    ("one", "other", "is_same", "is_alike"),
    [
        (1, 1.0, False, True),
        ([1], [1.0], False, True),
        ({"a": [0]}, {"a": [False]}, False, False),
        (1, True, False, False),
        (0, None, False, False),
        ("", None, False, False),
        (None, ABSENT, False, True),
        ({}, ABSENT, False, False),
        (ABSENT, ABSENT, True, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True, True),
        ([1, 2], [2, 1], False, False),
        ({"a": LARGE}, {"a": LARGE}, True, True),  # beyond 64 bits
        ({"a": LARGE, "b": [1]}, {"a": LARGE, "b": [True]}, False, False),
        ({"a": LARGE, "b": [1]}, {"a": LARGE, "b": [1.0]}, False, True),
    ],
)
def test_examples(one: Any, other: Any, *, is_same: bool, is_alike: bool) -> None:
    for pair in ((one, other), (other, one)):
        assert same(*pair) == is_same
        assert alike(*pair) == is_alike


def test_deep_values_are_compared() -> None:
    def deep(leaf: Any) -> Any:
        for _ in range(300):  # orjson writes 254 levels
            leaf = [leaf]
        return leaf

    assert same(deep(1), deep(1))
    assert not same(deep(1), deep(True))
