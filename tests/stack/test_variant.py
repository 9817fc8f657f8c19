"""The names of folders: environments and selections never share one (ADR 0022)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.names import ComponentName
from cluster_forge.stack import variant
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack

from .conftest import Workspace

STACK = Stack(name="platform")


def narrowed(*names: str, left_out: int = 1, environment: str = "") -> Stack:
    components = tuple(Component(name=ComponentName(name)) for name in names)
    rest = tuple(f"rest-{number}" for number in range(left_out))
    return replace(STACK, components=components, left_out=rest, environment=environment)


@pytest.mark.parametrize(
    ("stack", "folder"),
    [
        (STACK, "platform"),
        (replace(STACK, environment="production"), "platform.production"),
        (narrowed("loki", "grafana"), "platform+grafana+loki"),
        (narrowed("loki", environment="production"), "platform.production+loki"),
        (narrowed("loki", left_out=0), "platform"),
    ],
)
def test_the_folder_has_environment_and_components(stack: Stack, folder: str) -> None:
    assert variant.folder(stack) == folder


@pytest.mark.parametrize(
    ("folder", "options"),
    [
        ("platform", ()),
        ("platform.production", ("--environment", "production")),
        ("platform+grafana+loki", ("grafana", "loki")),
        ("platform.production+loki", ("loki", "--environment", "production")),
        ("platform+57of58.3fa9c1d2", None),
    ],
)
def test_the_folder_says_what_to_type(folder: str, options: tuple[str, ...] | None) -> None:
    assert variant.options(folder) == options
    assert variant.stack_of(folder) == "platform"


def test_many_components_are_counted_and_still_distinct() -> None:
    names = [f"component-{number}" for number in range(57)]
    folder = variant.folder(narrowed(*names))
    assert folder.startswith("platform+57of58.")
    assert len(folder) < 40
    assert folder != variant.folder(narrowed(*names[:-1], "another"))


LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
STACKS = st.tuples(LABELS, LABELS | st.just(""), st.frozensets(LABELS, min_size=1, max_size=12), st.booleans())


@given(first=STACKS, second=STACKS)
def test_two_that_differ_have_two_folders(
    first: tuple[str, str, frozenset[str], bool], second: tuple[str, str, frozenset[str], bool]
) -> None:
    def folder(name: str, environment: str, names: frozenset[str], is_narrowed: bool) -> str:
        stack = narrowed(*names, left_out=int(is_narrowed), environment=environment)
        return variant.folder(replace(stack, name=name))

    def identity(name: str, environment: str, names: frozenset[str], is_narrowed: bool) -> object:
        return name, environment, names if is_narrowed else None

    assert (folder(*first) == folder(*second)) == (identity(*first) == identity(*second))


NATIVE = """\
components:
- {name: a, namespace: a, manifests: [a.yaml]}
- {name: b, namespace: b, manifests: [a.yaml]}
define: [{name: spare, namespace: c, manifests: [a.yaml]}]
collections: {both: [a, b]}
environments: {small: {components: [{name: b, remove: true}], collections: null}}
"""


@pytest.mark.parametrize(
    ("selection", "folder"),
    [
        ({}, "platform"),
        ({"names": ("a",)}, "platform+a"),
        ({"names": ("both",)}, "platform"),
        ({"names": ("a", "b")}, "platform"),
        ({"skip": ("b",)}, "platform+a"),
        ({"select": ("names.yaml",)}, "platform+b"),
        ({"environment": "small"}, "platform.small"),
        ({"environment": "small", "names": ("a",)}, "platform.small"),
    ],
)
def test_what_counts_is_what_is_left_out(
    native: Callable[..., Workspace], selection: dict[str, object], folder: str
) -> None:
    workspace = native(NATIVE, {"a.yaml": "", "names.yaml": "[b]"})
    assert variant.folder(workspace.load(**selection).stack) == folder


@pytest.mark.parametrize(
    ("selection", "folder"),
    [
        ({}, "stack"),
        ({"names": ("a",)}, "stack+a"),
        ({"names": ("a", "b")}, "stack"),
        ({"select": ("names.yaml",)}, "stack"),
        ({"select": ("names.yaml",), "names": ("a",)}, "stack"),
        ({"skip": ("b",)}, "stack+a"),
    ],
)
def test_a_list_is_narrowed_by_names_and_described_by_a_file(
    legacy: Callable[..., Workspace], selection: dict[str, object], folder: str
) -> None:
    description = "- {name: a, namespace: a, manifestpath: a.yaml}\n- {name: b, namespace: b, manifestpath: a.yaml}\n"
    workspace = legacy(description, {"a.yaml": "", "names.yaml": "[b]"})
    assert variant.folder(workspace.load(**selection).stack) == folder
