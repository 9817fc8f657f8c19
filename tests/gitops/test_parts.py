from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_forge.gitops import parts as module
from cluster_forge.manifests.part import Part

Make = Callable[..., Any]


def test_parts_are_sorted_by_wave_and_name(parts: tuple[Part, ...], make_part: Make) -> None:
    same = make_part("another", [], wave=10)
    assert [part.name for part in module.in_order((*parts, same))] == ["argo-cd", "definitions", "another", "shop"]


def test_custom_kinds_are_not_built_into_kubernetes() -> None:
    assert module.is_custom(("example.com", "Widget"), 33)
    assert not module.is_custom(("apps", "Deployment"), 33)


def test_groups_are_those_of_the_crds(parts: tuple[Part, ...]) -> None:
    assert module.defined_groups(item for part in parts for item in part.objects) == {"argoproj.io", "example.com"}
