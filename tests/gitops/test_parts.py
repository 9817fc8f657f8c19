from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_forge.gitops import parts as module
from cluster_forge.manifests.part import Part

Make = Callable[..., Any]


def test_parts_come_by_wave_and_then_by_name(parts: tuple[Part, ...], make_part: Make) -> None:
    same = make_part("another", [], wave=10)
    assert [part.name for part in module.in_order((*parts, same))] == ["argo-cd", "definitions", "another", "shop"]


def test_what_lies_in_a_folder_of_a_part_is_not_applied(make_part: Make, make_body: Make) -> None:
    part = make_part("shop", [make_body("batch/v1", "Job", "later", "shop")], folder="hooks/")
    assert part.objects
    assert part.applied == ()


def test_custom_kinds_are_those_that_kubernetes_does_not_know() -> None:
    assert module.is_custom(("example.com", "Widget"), 33)
    assert not module.is_custom(("apps", "Deployment"), 33)


def test_groups_are_those_of_the_crds(parts: tuple[Part, ...]) -> None:
    applied = [each for part in parts for each in part.applied]
    assert module.defined_groups(applied) == {"argoproj.io", "example.com"}
