"""Duplicate objects, within a component and between components."""

from __future__ import annotations

from typing import Any

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import duplicates
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Manifest, Provenance


def manifest(name: str, origin: str = "a.yaml", component: str = "shop", **data: Any) -> Manifest:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    return Manifest.of(body, Provenance(component=ComponentName(component), origin=origin))


def test_identical_duplicates_in_a_component_become_one_without_a_finding() -> None:
    single = duplicates.within([[manifest("x"), manifest("x", "b.yaml")]], later_replaces=False)
    assert (len(single.manifests), single.findings) == (1, ())


def test_different_duplicates_in_a_component_are_an_error_that_names_both() -> None:
    single = duplicates.within([[manifest("x", "a.yaml", a="1"), manifest("x", "b.yaml", a="2")]], later_replaces=True)
    (finding,) = single.findings
    assert finding.severity is Severity.ERROR
    assert "a.yaml" in finding.message
    assert "b.yaml" in finding.message


def test_a_later_group_replaces_an_earlier_one_with_a_notice() -> None:
    groups = [[manifest("x", "a.yaml", a="1"), manifest("y")], [manifest("x", "b.yaml", a="2")]]
    single = duplicates.within(groups, later_replaces=True)
    assert [manifest.body["data"] for manifest in single.manifests] == [{"a": "2"}, {}]
    assert [finding.severity for finding in single.findings] == [Severity.NOTICE]
    strict = duplicates.within(groups, later_replaces=False)
    assert [finding.severity for finding in strict.findings] == [Severity.ERROR]


def test_the_earlier_component_keeps_an_identical_duplicate() -> None:
    components = duplicates.between(
        [
            (ComponentName("one"), [manifest("x", component="one")]),
            (ComponentName("two"), [manifest("x", component="two")]),
        ]
    )
    assert [len(single.manifests) for single in components.values()] == [1, 0]
    (finding,) = components[ComponentName("two")].findings
    assert finding.severity is Severity.WARNING
    assert finding.message == "1 object identical to that of one, which keeps it: ConfigMap/x"


def test_different_duplicates_of_two_components_are_an_error() -> None:
    components = duplicates.between(
        [
            (ComponentName("one"), [manifest("x", "o.yaml", component="one", a="1")]),
            (ComponentName("two"), [manifest("x", "t.yaml", component="two", a="2")]),
        ]
    )
    (finding,) = components[ComponentName("two")].findings
    assert finding.severity is Severity.ERROR
    assert "one (o.yaml)" in finding.message
    assert "two (t.yaml)" in finding.message
