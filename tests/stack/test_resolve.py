from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.errors import DescriptionError, ForgeError, UnknownNameError
from cluster_forge.stack.resolve import resolve
from cluster_forge.stack.select import select
from cluster_forge.yaml.positioned import Positioned

Native = Callable[..., Any]

DEFINED = """\
components: [web, c]
define:
- {name: a, manifests: [x], needs: [b]}
- {name: b, manifests: [x]}
- {name: c, manifests: [x]}
- {name: d, manifests: [x]}
collections: {web: [b, a, inner], inner: [c, a], unused: [d]}
"""
FILES = {"x/x.yaml": ""}


def names(loaded: Any) -> list[str]:
    return [component.name for component in loaded.stack.components]


def test_components_are_unique_in_the_order_in_which_they_are_named(native: Native) -> None:
    assert names(native(DEFINED, FILES).load()) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"names": ["a"]}, ["a"]),
        ({"names": ["c", "b"]}, ["b", "c"]),
        ({"names": ["inner"]}, ["a", "c"]),
        ({"skip": ["inner"]}, ["b"]),
        ({"skip": ["d"]}, ["b", "a", "c"]),
        ({"names": ["web"], "skip": ["a"]}, ["b", "c"]),
        ({"select": ["some.yaml"]}, ["b", "c"]),
        ({"select": ["input/some.yaml"], "names": ["a"]}, ["b", "a", "c"]),
    ],
)
def test_names_select_and_skip_excludes(native: Native, options: dict[str, Any], kept: list[str]) -> None:
    loaded = native(DEFINED, {**FILES, "some.yaml": "- name: c\n- b\n"}).load(**options)
    assert names(loaded) == kept
    if "a" in kept:
        assert loaded.stack.component("a").needs == ("b",)


@pytest.mark.parametrize(
    ("options", "errors"),
    [
        (
            {"names": ["wb", "e"], "skip": ["inne"]},
            [
                "unknown component or collection 'wb', did you mean 'web'?",
                "unknown component or collection 'e'",
                "unknown component or collection 'inne', did you mean 'inner'?",
            ],
        ),
        ({"names": ["d"]}, ["d is not in the stack"]),
        ({"names": ["unused"]}, ["unused includes d: not in the stack"]),
        ({"skip": ["web"]}, ["the selection leaves no components"]),
        ({"select": ["some.yaml"]}, ["input/some.yaml:2: unknown component or collection 'x'"]),
        ({"select": ["nowhere.yaml"]}, ["file nowhere.yaml does not exist in input/ or in the workspace"]),
        ({"select": ["map.yaml"]}, ["input/map.yaml:1: a selection must be a list of names"]),
        (
            {"select": ["more.yaml"]},
            [
                "input/more.yaml:1: unknown key 'namespace' in a selection: `name` is the only one",
                "input/more.yaml:2: not a name, in a selection",
            ],
        ),
    ],
)
def test_invalid_selections_are_errors(native: Native, options: dict[str, Any], errors: list[str]) -> None:
    files = {**FILES, "some.yaml": "- a\n- x\n", "map.yaml": "a: b", "more.yaml": "- {name: a, namespace: b}\n- 5\n"}
    assert native(DEFINED, files).errors(**options) == errors


@pytest.mark.parametrize(
    ("description", "errors"),
    [
        (
            "collections: {a: [b], b: [c, a], c: [c]}",
            ["4: collection cycle: c → c", "4: collection cycle: a → b → a"],
        ),
        (
            "collections: {a: [x], xy: []}",
            ["4: collection a contains the unknown name 'x', did you mean 'xy'?"],
        ),
        (
            "define: [{name: a, manifests: [x]}]\ncollections: {a: []}",
            ["5: duplicate name 'a': a component has the same name at input/config.yaml:4"],
        ),
        (
            "components:\n- {name: a, manifests: [x]}\n- {name: a, manifests: [x]}",
            ["6: duplicate component 'a': already defined at input/config.yaml:5"],
        ),
        (
            "components:\n- {name: a, manifests: [x], needs: [b, a, c, ad]}\ndefine: [{name: b, manifests: [x]}]\ncollections: {c: []}",
            [
                "5: a needs b, which is not in the stack",
                "5: a needs itself",
                "5: a needs c, which is a collection",
                "5: a needs the unknown component 'ad', did you mean 'a'?",
            ],
        ),
    ],
)
def test_conflicting_names_are_errors(native: Native, description: str, errors: list[str]) -> None:
    messages = native(description, FILES).errors()
    assert messages == [f"input/config.yaml:{error}" for error in errors]


def test_unknown_names_have_their_own_error_type(native: Native) -> None:
    with pytest.raises(UnknownNameError):
        native("components: [a]").load()
    with pytest.raises(DescriptionError) as caught:
        native("components: [{name: a, manifests: [x], needs: [b]}]\ndefine: [{name: b, manifests: [x]}]", FILES).load()
    assert caught.value.fix == "add b to `components`"


def test_a_component_is_merged_over_its_definition(native: Native) -> None:
    description = (
        "components: [{name: a, wave: 5, exclude: [w]}]\ndefine: [{name: a, manifests: [x], wave: 1, exclude: [z]}]"
    )
    component = native(description, FILES).load().stack.component("a")
    assert (component.wave, component.exclude, component.manifests) == (5, ("w",), ("x",))
    assert component.where == "input/config.yaml:4"


words = st.sampled_from(list("abcdefgh"))


@given(
    st.dictionaries(words, st.lists(words, max_size=4)),
    st.lists(words, max_size=6),
    st.lists(words, max_size=2),
    st.lists(words, max_size=2),
)
def test_any_names_resolve_or_are_reported(
    collections: dict[str, list[str]], components: list[str], chosen: list[str], skipped: list[str]
) -> None:
    defined = [{"name": name} for name in "defgh"]
    errors: list[ForgeError] = []
    like = Positioned(None, "f", 1)
    description = Positioned.of({"components": components, "define": defined, "collections": collections}, like)
    resolved = resolve(description, errors)
    kept = select(
        resolved, [Positioned(name, "") for name in chosen], [Positioned(name, "") for name in skipped], errors
    )
    assert len(set(resolved.stack)) == len(resolved.stack)
    assert set(kept) <= set(resolved.stack) <= set("defgh")
    assert not set(kept) & {member for name in skipped if name in resolved.names for member in resolved.members(name)}
    if not errors:
        named = {member for name in components for member in resolved.members(name)}
        assert set(resolved.stack) == named
        assert not chosen or set(kept) <= {member for name in chosen for member in resolved.members(name)}
