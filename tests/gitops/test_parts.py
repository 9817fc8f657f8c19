from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_forge.gitops import parts as module
from cluster_forge.gitops.parts import Part
from cluster_forge.manifests.identity import ObjectId

Make = Callable[..., Any]


def test_parts_come_by_wave_and_then_by_name(parts: tuple[Part, ...], make_part: Make) -> None:
    same = make_part("another", [], wave=10)
    assert [part.name for part in module.in_order((*parts, same))] == ["argo-cd", "definitions", "another", "shop"]


def test_what_lies_in_a_folder_of_a_part_is_not_applied(make_part: Make, make_body: Make) -> None:
    part = make_part("shop", [make_body("batch/v1", "Job", "later", "shop")], folder="hooks/")
    assert part.objects
    assert part.applied == ()
    assert part.kinds == frozenset()


def test_an_object_without_a_body_has_no_labels(make_part: Make, make_body: Make) -> None:
    (known,) = make_part("a", [make_body("v1", "ConfigMap", "c", "a", labels={"x": "y"})]).objects
    assert known.labels == {"x": "y"}
    unknown = module.PartObject(id=known.id, path=known.path, content=known.content)
    assert unknown.labels == {}


def test_events_are_read_as_helm_writes_them(make_part: Make, make_body: Make) -> None:
    bodies = [make_body("v1", "Pod", "p", "a", annotations={"helm.sh/hook": "pre-install, post-install"})]
    (hook,) = make_part("a", bodies).objects
    assert hook.events == {"pre-install", "post-install"}


def test_custom_kinds_are_those_that_kubernetes_does_not_know() -> None:
    assert module.is_custom(("example.com", "Widget"), 33)
    assert not module.is_custom(("apps", "Deployment"), 33)


def test_groups_and_objects_are_found_by_identity(parts: tuple[Part, ...]) -> None:
    applied = [each for part in parts for each in part.applied]
    assert module.groups_made_by(applied) == {"argoproj.io", "example.com"}
    name = ObjectId(group="", kind="Namespace", namespace="", name="shop")
    found = module.find(parts, name)
    assert found is not None
    assert found.path == "definitions/namespace_shop.yaml"
    assert module.find(parts[1:2], name) is None
