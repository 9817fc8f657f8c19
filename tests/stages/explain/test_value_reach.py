"""Which values reach which fields: by rendering without them."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_forge.foundation.errors import RenderError
from cluster_forge.stages.explain import value_reach
from cluster_forge.stages.explain.value_reach import ReachedField

DEFAULTS = {"replicas": 1, "image": {"tag": "1.0", "repository": "app"}, "labels": {}, "debug": False}


def merged(base: Any, top: Any) -> Any:
    if isinstance(base, dict) and isinstance(top, dict):
        return {key: merged(base.get(key), top[key]) if key in top else base[key] for key in {**base, **top}}
    return top


def chart(values: Any) -> Any:
    """A chart of three templates."""
    given_values = merged(DEFAULTS, values)
    if given_values.get("required", "missing") == "broken":
        raise RenderError("broken")
    if given_values.get("enabled") is False:
        return None
    image = given_values["image"]
    return {
        "metadata": {"labels": {"app": "web", **given_values["labels"]}},
        "spec": {"replicas": given_values["replicas"], "image": f"{image['repository']}:{image['tag']}"},
    }


def reach_of(values: Any, **options: Any) -> value_reach.Reach:
    return value_reach.of(values, chart(values), chart, **options)


def test_each_field_has_the_deepest_values_that_reach_it() -> None:
    reach = reach_of({"replicas": 3, "image": {"tag": "2.0", "pull": "x"}, "labels": {"team": "a"}, "unused": 1})
    assert reach.is_complete
    assert reach.fields == {
        "spec.replicas": ReachedField(keys=(("replicas",),), before=1, after=3),
        "spec.image": ReachedField(keys=(("image", "tag"),), before="app:1.0", after="app:2.0"),
        "metadata.labels.team": ReachedField(keys=(("labels", "team"),), before=None, after="a"),
    }


def test_two_values_may_reach_one_field() -> None:
    reach = reach_of({"image": {"tag": "2.0", "repository": "other"}})
    keys = (("image", "tag"), ("image", "repository"))
    assert reach.fields == {"spec.image": ReachedField(keys=keys, before="app:1.0", after="other:2.0")}


def test_a_default_that_is_written_again_reaches_nothing() -> None:
    assert reach_of({"replicas": 1}).fields == {}


def test_an_object_and_a_chart_may_need_a_value() -> None:
    def needy(values: Any) -> Any:
        if "host" not in values:
            raise RenderError("host is required")
        return {"a": values["host"]} if values.get("enabled") else None

    values = {"host": "x", "enabled": True}
    reach = value_reach.of(values, needy(values), needy)
    assert (reach.required, reach.needed) == ((("host",),), (("enabled",),))
    assert reach.fields == {}


def test_random_fields_are_not_those_of_values() -> None:
    numbers = itertools.count()

    def draws(values: Any) -> Any:
        return {"password": str(next(numbers)), "replicas": values.get("replicas", 1)}

    reach = value_reach.of({"replicas": 2}, draws({"replicas": 2}), draws)
    assert reach.random == {"password"}
    assert reach.fields == {"replicas": ReachedField(keys=(("replicas",),), before=1, after=2)}


def test_the_number_of_renders_is_bounded() -> None:
    renders = []

    def counted(values: Any) -> Any:
        renders.append(values)
        return {key: value for key, value in values.items() if key != "clusterForgeProbe"}

    values = {f"key{number}": number for number in range(500)}
    reach = value_reach.of(values, dict(values), counted, 40)
    assert len(renders) <= 42
    assert not reach.is_complete


def test_values_without_effect_take_few_renders() -> None:
    renders = []

    def counted(values: Any) -> Any:
        renders.append(values)
        return chart(values)

    values = {**{f"unused{number}": number for number in range(200)}, "replicas": 3}
    assert list(value_reach.of(values, chart(values), counted).fields) == ["spec.replicas"]
    assert len(renders) < 25


VALUES = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6
)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from("abcd"), VALUES, min_size=1, max_size=4))
def test_a_chart_that_prints_its_values_is_reached_by_each(values: Any) -> None:
    def prints(given_values: Any) -> Any:
        return {key: value for key, value in given_values.items() if key != "clusterForgeProbe"}

    reach = value_reach.of(values, values, prints)
    for path, reached in reach.fields.items():
        assert reached.keys == (tuple(path.split(".")),)
