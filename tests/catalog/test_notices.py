"""Known trouble of components is reported where it applies, and distributions count for what they bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.catalog.library import packaged

if TYPE_CHECKING:
    from tests.catalog.conftest import Shelf

CAUTION: dict[str, Any] = {"code": "missing-provider", "reason": "gets nothing", "fix": "add a sender"}


def warnings(shelf: Shelf, description: str) -> list[str]:
    notices = shelf.load(description).notices
    return [
        f"{notice.where}: {notice.code} {notice.component}: {notice.message}" for notice in notices if notice.is_warning
    ]


@pytest.mark.parametrize(
    ("condition", "target", "applies"),
    [
        ({}, "{}", True),
        ({"kubernetes": "1.34+"}, "{kubernetes: '1.34'}", True),
        ({"kubernetes": "1.34+"}, "{kubernetes: 'v1.33.9+k3s1'}", False),
        ({"sizes": ["large"]}, "{size: large}", True),
        ({"sizes": ["large"]}, "{size: small}", False),
        ({"without": "sender"}, "{}", True),
        ({"without": "sender"}, "{provides: [sender]}", False),
        ({"without": "sender"}, "{kubernetes: v1.33.1+box2}", False),
        ({"without": ["sender", "other"]}, "{}", False),
        ({"with": "other"}, "{}", True),
        ({"with": "sender"}, "{}", False),
        ({"target": "sender"}, "{}", False),
        ({"target": "sender"}, "{provides: [sender]}", True),
        ({"target": ["sender"]}, "{kubernetes: v1.33.1+box2}", True),
    ],
)
def test_a_caution_is_a_warning_where_all_of_its_conditions_apply(
    shelf: Shelf, condition: dict[str, Any], target: str, applies: bool
) -> None:
    shelf.component("logs", cautions=[{**CAUTION, **condition}]).component("other").distribution("+box", "sender")
    expected = ["input/config.yaml:5: missing-provider logs: gets nothing"] if applies else []
    assert warnings(shelf, f"target: {target}\ncomponents: [logs, other]") == expected


def test_a_caution_has_its_fix(shelf: Shelf) -> None:
    shelf.component("logs", cautions=[CAUTION])
    (notice,) = shelf.load("components: [logs]").notices
    assert notice.fix == "add a sender"


def test_a_component_of_the_users_own_has_no_cautions(shelf: Shelf) -> None:
    shelf.component("logs", cautions=[CAUTION])
    assert warnings(shelf, "components: [{name: logs, manifests: [a.yaml]}]") == []


def test_a_capability_of_the_distribution_adds_no_component(shelf: Shelf) -> None:
    shelf.component("web", needs=["volumes"]).component("disks", provides={"volumes": {}}).distribution(
        "+box", "volumes"
    )
    bare = shelf.load("components: [web]").stack
    assert [component.name for component in bare.components] == ["web", "disks"]
    boxed = shelf.load("target: {kubernetes: v1.33.4+box1}\ncomponents: [web]").stack
    assert [component.name for component in boxed.components] == ["web"]
    assert (bare.capabilities, boxed.capabilities) == (("volumes",), ("volumes",))


def test_a_component_that_is_there_meets_the_need_although_the_distribution_could(shelf: Shelf) -> None:
    shelf.component("web", needs=["volumes"]).component("disks", provides={"volumes": {}}).distribution(
        "+box", "volumes"
    )
    stack = shelf.load("target: {kubernetes: v1.33.4+box1}\ncomponents: [disks, web]").stack
    assert stack.component("web").needs == ("disks",)


def test_capabilities_are_those_of_the_selected_components_and_of_the_target(shelf: Shelf) -> None:
    shelf.component("a", provides={"one": {}}).component("b", provides={"two": {}})
    stack = shelf.load("target: {provides: [three]}\ncomponents: [a, b]", names=("a",)).stack
    assert stack.capabilities == ("one", "three")


def test_an_own_component_with_a_name_of_the_catalog_counts_as_providing_the_same(shelf: Shelf) -> None:
    shelf.component("disks", provides={"volumes": {}})
    assert shelf.load("components: [{name: disks, manifests: [a.yaml]}]").stack.capabilities == ("volumes",)


@pytest.mark.parametrize(
    ("suffix", "capability", "is_brought"),
    [
        ("+k3s1", "metrics.k8s.io", True),
        ("+k3s1", "storage-class", True),
        ("+rke2r1", "metrics.k8s.io", True),
        ("+rke2r1", "storage-class", False),
        ("-gke.100", "loadbalancer", True),
        ("-eks-a1b2c3", "metrics.k8s.io", False),
        ("-rc.1", "metrics.k8s.io", False),
        ("", "metrics.k8s.io", False),
    ],
)
def test_the_packaged_distributions(suffix: str, capability: str, is_brought: bool) -> None:
    assert (capability in packaged().brought_by(suffix)) is is_brought


def test_what_the_packaged_distributions_bring_are_capabilities() -> None:
    library = packaged()
    brought = {
        name for suffix in ("+k3s1", "+rke2r1", "+k0s.0", "-gke.1", "-eks-1") for name in library.brought_by(suffix)
    }
    assert brought <= library.capabilities.keys()
    cautions = [caution for component in library.components() for caution in component.cautions]
    named = {name for caution in cautions for name in (*caution.brought, *caution.all_of, *caution.none_of)}
    assert named <= {*library.names, *library.capabilities}
