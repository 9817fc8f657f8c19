"""Fields that components describe become fields of the graph."""

from __future__ import annotations

from cluster_forge.foundation.names import ComponentName
from cluster_forge.graph import described_fields
from cluster_forge.stack.component import Component
from cluster_forge.stack.referring_kind import NamingField, ReferringKind


def component(name: str, *kinds: ReferringKind) -> Component:
    return Component(name=ComponentName(name), namespace=name, refers_to=kinds)


def kind(name: str, *paths: str) -> ReferringKind:
    fields = tuple(NamingField(path=path, to="Secret", is_optional="spare" in path) for path in paths)
    return ReferringKind(group="example.org", kind=name, fields=fields)


def test_components_may_describe_the_same_kind() -> None:
    one = component("one", kind("Shop", "spec.login", "spec.stores[].spare"), kind("Till", "spec.a.{}.b[].c"))
    two = component("two", kind("Shop", "spec.login", "spec.other"))
    fields = described_fields.of([one, two])
    paths = {known: [(field.path, field.name, field.is_optional) for field in fields[known]] for known in fields}
    assert paths == {
        ("example.org", "Shop"): [
            ("spec login", "name", False),
            ("spec login", "", False),
            ("spec stores [] spare", "name", True),
            ("spec stores [] spare", "", True),
            ("spec other", "name", False),
            ("spec other", "", False),
        ],
        ("example.org", "Till"): [("spec a {} b [] c", "name", False), ("spec a {} b [] c", "", False)],
    }


def test_without_a_description_there_are_no_fields() -> None:
    assert described_fields.of([component("one")]) == {}
