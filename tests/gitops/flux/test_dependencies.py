from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import schedule
from cluster_forge.gitops.flux import dependencies
from cluster_forge.manifests.part import Part

MakePart = Callable[..., Part]
NAMES = tuple(map(ComponentName, "abcdefgh"))


def plain(name: str, wave: int, *needs: str) -> Part:
    return Part(name=ComponentName(name), namespace="x", wave=wave, needs=tuple(map(ComponentName, needs)))


def test_a_component_waits_for_what_it_needs_and_for_nothing_else() -> None:
    parts = [plain("a", 0), plain("b", 10, "a"), plain("c", 10), plain("d", 20, "c")]
    assert dependencies.of(parts, frozenset()) == {"a": (), "b": ("a",), "c": (), "d": ("c",)}


def test_what_follows_from_others_is_left_out() -> None:
    parts = [plain("a", 0), plain("b", 10, "a"), plain("c", 20, "a", "b")]
    assert dependencies.of(parts, frozenset())[ComponentName("c")] == ("b",)


def test_a_component_waits_for_the_one_that_defines_its_namespace(
    make_part: MakePart, make_body: Callable[..., dict[str, object]]
) -> None:
    first = make_part("namespaces", [make_body("v1", "Namespace", "shop")], wave=-10)
    shop = make_part("shop", [make_body("v1", "ConfigMap", "c", "shop")])
    assert dependencies.of([shop, first], frozenset()) == {"namespaces": (), "shop": ("namespaces",)}


def test_a_wave_of_the_description_keeps_its_place_on_both_sides() -> None:
    parts = [plain("a", 0), plain("b", 10), plain("c", 20)]
    assert dependencies.of(parts, {ComponentName("b")}) == {"a": (), "b": ("a",), "c": ("b",)}


def test_a_wave_that_contradicts_a_need_counts() -> None:
    parts = [plain("a", 20), plain("b", 10, "a")]
    assert dependencies.of(parts, {ComponentName("b")}) == {"b": (), "a": ("b",)}


def test_a_component_that_is_not_delivered_is_not_waited_for() -> None:
    assert dependencies.of([plain("b", 10, "gone")], frozenset()) == {"b": ()}


def test_definitions_alone_come_before_everything(
    make_part: MakePart, make_body: Callable[..., dict[str, object]]
) -> None:
    classes = make_part("classes", [make_body("scheduling.k8s.io/v1", "PriorityClass", "high")], wave=-100)
    assert dependencies.of([plain("shop", 0), classes], frozenset()) == {"classes": (), "shop": ("classes",)}


@given(
    st.lists(st.tuples(st.integers(-2, 2), st.sets(st.sampled_from(NAMES))), min_size=8, max_size=8),
    st.sets(st.sampled_from(NAMES)),
)
def test_there_is_no_cycle_and_every_need_that_is_not_later_is_reached(
    described: list[tuple[int, set[ComponentName]]], fixed: set[ComponentName]
) -> None:
    parts = [
        replace(plain(name, wave), needs=tuple(sorted(need for need in needs if need < name)))  # no cycle of needs
        for name, (wave, needs) in zip(NAMES, described, strict=True)
    ]
    found = dependencies.of(parts, fixed)
    waves = {part.name: part.wave for part in parts}

    def reached(name: ComponentName) -> set[ComponentName]:
        return set(found[name]).union(*map(reached, found[name]))

    for part in parts:
        assert part.name not in reached(part.name)
        assert all(waves[other] <= part.wave for other in found[part.name])
        assert schedule.prerequisites(parts, fixed)[part.name] <= reached(part.name)
        assert {need for need in part.needs if waves[need] <= part.wave} <= reached(part.name)
        followed = [reached(other) for other in found[part.name]]
        assert not any(other in below for other in found[part.name] for below in followed)
