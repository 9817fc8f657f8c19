"""Facts about an object: images, hook, and the kind that a CRD defines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.manifests import facts, images
from cluster_forge.manifests.facts import CustomKind, Facts


def body(annotations: Any = None, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "annotations": annotations}, **more}


def crd(spec: Any, *, version: str = "apiextensions.k8s.io/v1") -> dict[str, Any]:
    return {"apiVersion": version, "kind": "CustomResourceDefinition", "metadata": {"name": "w"}, "spec": spec}


def test_most_objects_have_no_facts() -> None:
    assert facts.of(body()) == Facts(images=(), hook="", weight=0, defines=None, version="v1")


def test_images_are_sorted_and_unique() -> None:
    spec = {"containers": [{"image": "b:1"}, {"image": "a:1"}], "initContainers": [{"image": "b:1"}]}
    known = facts.of(body(spec=spec))
    assert known.images == ("a:1", "b:1")
    assert set(known.images) == {use.image for use in images.of(body(spec=spec))}


@pytest.mark.parametrize(
    ("text", "hook"),
    [
        ("pre-install", "pre-install"),
        ("pre-upgrade,pre-install", "pre-install,pre-upgrade"),
        (" test , post-delete,test,", "post-delete,test"),
        ("", ""),
        (",", ""),
        (None, ""),
        (1, ""),
        (["test"], ""),
    ],
)
def test_the_events_of_a_hook_are_sorted(text: Any, hook: str) -> None:
    assert facts.of(body({"helm.sh/hook": text})).hook == hook


@pytest.mark.parametrize(
    ("text", "weight"), [("5", 5), ("-5", -5), (3, 3), ("", 0), ("x", 0), ("1.5", 0), (None, 0), ([], 0), ({}, 0)]
)
def test_a_weight_that_is_not_a_number_is_zero(text: Any, weight: int) -> None:
    assert facts.of(body({"helm.sh/hook": "test", "helm.sh/hook-weight": text})).weight == weight


@pytest.mark.parametrize("annotations", [None, [], "text", 3])
def test_annotations_that_are_not_a_mapping_are_ignored(annotations: Any) -> None:
    known = facts.of(body(annotations))
    assert (known.hook, known.weight, known.images) == ("", 0, ())


SPEC = {
    "group": "example.com",
    "scope": "Namespaced",
    "names": {"kind": "Widget"},
    "versions": [{"name": "v1"}, {"name": "v1beta1", "served": False}, {"name": "v2", "served": True}],
}


class TestKinds:
    def test_a_crd_defines_a_kind(self) -> None:
        kind = facts.of(crd(SPEC)).defines
        assert kind == CustomKind(group="example.com", kind="Widget", namespaced=True, versions=("v1", "v2"))
        assert kind.api_versions == (
            "example.com/v1",
            "example.com/v2",
            "example.com/v1/Widget",
            "example.com/v2/Widget",
        )

    def test_a_v1beta1_crd_defines_a_kind(self) -> None:
        spec = {"group": "example.com", "scope": "Cluster", "names": {"kind": "W"}, "version": "v1"}
        assert facts.of(crd(spec, version="apiextensions.k8s.io/v1beta1")).defines == CustomKind(
            group="example.com", kind="W", namespaced=False, versions=("v1",)
        )

    @pytest.mark.parametrize(
        "spec",
        [None, [], "x", {}, {"names": []}, {"names": {}}, {"names": {"kind": 1}}, {"group": "a", "names": None}],
    )
    def test_a_malformed_crd_defines_nothing(self, spec: Any) -> None:
        assert facts.of(crd(spec)).defines is None

    def test_a_crd_of_another_group_defines_nothing(self) -> None:
        assert facts.of(crd(SPEC, version="example.com/v1")).defines is None
        assert facts.of({**crd(SPEC), "kind": "ConfigMap"}).defines is None

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.sampled_from(["v1", "Namespaced", ""]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["group", "names", "kind", "versions", "version", "name", "served", "scope"]),
                    inner,
                    max_size=5,
                )
            ),
        )
    )
    def test_any_spec_can_be_read(self, spec: Any) -> None:
        kind = facts.of(crd(spec)).defines
        assert kind is None or kind.kind
