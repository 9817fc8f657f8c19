"""Two stacks compared: components, versions, objects that moved, images."""

from __future__ import annotations

from typing import Any

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.comparison import objects
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.part import Part, PartObject


def part(name: str, *bodies: dict[str, Any], version: str = "") -> Part:
    provenance = Provenance(component=ComponentName(name), origin="a.yaml")
    manifests = [Manifest.of(body, provenance) for body in bodies]
    items = tuple(PartObject.of(manifest, f"{name}/{manifest.id.file_name}") for manifest in manifests)
    return Part(name=ComponentName(name), namespace="shop", wave=0, version=version, objects=items)


def settings(name: str, value: str = "1") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop"},
        "data": {"a": value},
    }


def pod(image: str) -> dict[str, Any]:
    containers = [{"name": "web", "image": image}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"containers": containers},
    }


def test_equal_stacks_do_not_differ() -> None:
    stack = [part("web", settings("a"), pod("example.com/web:1"), version="1.0")]
    assert not objects.between(stack, stack)


def test_components_objects_fields_and_images() -> None:
    before = [
        part("web", settings("a"), settings("b"), pod("example.com/web:1"), version="1.0"),
        part("old", settings("o")),
    ]
    after = [part("web", settings("a", "2"), settings("c"), pod("example.com/web:2"), version="1.1"), part("new")]
    result = objects.between(before, after)
    assert [(one.name, one.change, one.before, one.after) for one in result.components] == [
        ("new", "added", "", ""),
        ("old", "removed", "", ""),
        ("web", "changed", "1.0", "1.1"),
    ]
    assert [(one.component, one.id.name, one.change) for one in result.objects] == [
        ("old", "o", "removed"),
        ("web", "a", "changed"),
        ("web", "b", "removed"),
        ("web", "c", "added"),
        ("web", "web", "changed"),
    ]
    assert [change.path for change in result.objects[1].fields] == ["data.a"]
    assert [change.path for change in result.objects[4].fields] == ['spec.containers[name="web"].image']
    assert (result.added_images, result.removed_images) == (("example.com/web:2",), ("example.com/web:1",))


def test_an_object_that_another_component_has_now_is_said_to_have_moved() -> None:
    result = objects.between([part("a", settings("x"))], [part("b", settings("x"))])
    (moved,) = result.objects
    assert (moved.component, moved.change, moved.fields, moved.remark) == ("b", "changed", (), "moved here from a")


def test_the_entries_of_lists_have_the_keys_of_kubernetes_schemas() -> None:
    def service(target: int) -> dict[str, object]:
        ports = [{"port": 53, "protocol": "UDP", "targetPort": 1}, {"port": 53, "targetPort": target}]
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "dns"}, "spec": {"ports": ports}}

    found = objects.compared(ObjectId.of(service(1)), "dns", service(1), service(2))
    assert found is not None
    assert [change.path for change in found.fields] == ['spec.ports[port=53,protocol="TCP"].targetPort']
