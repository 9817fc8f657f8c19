"""Which components must be ready before each one starts."""

from __future__ import annotations

from collections.abc import Sequence

from tests.gitops.conftest import body, crd, part
from tests.stages.deliver.deliveries import needing, settings

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import schedule
from cluster_forge.manifests.part import Part


def prerequisites(*parts: Part, fixed: Sequence[str] = ()) -> dict[str, set[str]]:
    names = [ComponentName(name) for name in fixed]
    return {name: set(before) for name, before in schedule.prerequisites(parts, names).items()}


def plain(name: str, wave: int = 0) -> Part:
    return part(name, [settings(name)], wave=wave)


def test_a_component_waits_for_what_it_needs_and_not_for_a_wave() -> None:
    top, other = needing(plain("top", 10), "base"), needing(plain("other", 20), "top")
    found = prerequisites(plain("base"), plain("alone"), top, other)
    assert found == {"base": set(), "alone": set(), "top": {"base"}, "other": {"top"}}
    assert list(found).index("base") < list(found).index("top") < list(found).index("other")


def test_definitions_alone_come_before_everything() -> None:
    classes = part("classes", [body("scheduling.k8s.io/v1", "PriorityClass", "high")], wave=-100)
    assert prerequisites(plain("shop"), classes) == {"classes": set(), "shop": {"classes"}}


def test_crds_with_their_controller_come_first_only_for_what_needs_them() -> None:
    operator = part("operator", [crd("widgets.example.com"), settings()], wave=-50)
    assert prerequisites(operator, plain("shop")) == {"operator": set(), "shop": set()}


def test_a_wave_that_the_user_set_is_an_order_in_both_directions() -> None:
    assert prerequisites(plain("first"), plain("set", 5), needing(plain("last", 10), "first"), fixed=["set"]) == {
        "first": set(),
        "set": {"first"},
        "last": {"first", "set"},
    }


def test_a_wave_of_the_catalog_is_not_an_order() -> None:
    found = prerequisites(plain("first"), plain("storage", -70), plain("last", 10))
    assert found == {"first": set(), "storage": set(), "last": set()}


def test_a_wave_below_that_of_a_need_wins_over_the_need() -> None:
    assert prerequisites(plain("base"), needing(plain("early", -7), "base"), fixed=["early"]) == {
        "early": set(),
        "base": {"early"},
    }


def test_a_need_that_is_not_delivered_is_left_out() -> None:
    assert prerequisites(needing(plain("shop"), "elsewhere")) == {"shop": set()}


def test_what_is_needed_indirectly_must_be_ready_first_too() -> None:
    parts = [needing(plain("shop", 10), "cache"), needing(plain("cache", 5), "base"), plain("base"), plain("alone")]
    found = schedule.with_indirect(schedule.prerequisites(parts))
    assert {str(name): set(before) for name, before in found.items()} == {
        "base": set(),
        "alone": set(),
        "cache": {"base"},
        "shop": {"cache", "base"},
    }
