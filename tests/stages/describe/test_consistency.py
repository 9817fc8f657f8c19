"""What is wrong with a stack although each of its files is right."""

from __future__ import annotations

import pytest

from cluster_forge.foundation.errors import DescriptionError, OrderError
from cluster_forge.stack.parse import Loaded, load
from cluster_forge.stages.describe import consistency

HEAD = "apiVersion: cluster-forge/v1\nkind: Stack\nname: shop\n"


def loaded(text: str, **choice: tuple[str, ...]) -> Loaded:
    files = {"input/config.yaml": (HEAD + text).encode()}
    return load(files.get, skip=choice.get("skip", ()), names=choice.get("names", ()))


def component(name: str, *needs: str) -> str:
    return f"- {{name: {name}, namespace: {name}, needs: [{', '.join(needs)}], manifests: [x.yaml]}}\n"


@pytest.mark.parametrize("version", ["1.24", "1.99", "2.33"])
def test_a_version_that_nothing_is_known_about(version: str) -> None:
    (fault,) = consistency.faults(loaded(f'target:\n  kubernetes: "{version}"\ncomponents:\n{component("a")}'))
    assert isinstance(fault, DescriptionError)
    assert f"Kubernetes {version}, only about 1.25 to 1." in fault.message
    assert fault.where == "input/config.yaml:5"


def test_a_stack_of_nothing() -> None:
    (fault,) = consistency.faults(loaded("components: []\n"))
    assert str(fault) == "input/config.yaml: the stack has no components"


def test_a_circle_is_shown_with_the_place_of_one_in_it() -> None:
    text = f"components:\n{component('free')}{component('a', 'b')}{component('b', 'c')}{component('c', 'a')}"
    (fault,) = consistency.faults(loaded(text))
    assert isinstance(fault, OrderError)
    assert fault.message.count("→") == 3
    assert fault.where == "input/config.yaml:6"


def test_all_of_it_together() -> None:
    text = f'target: {{kubernetes: "1.99"}}\ncomponents:\n{component("a", "b")}{component("b", "a")}'
    assert [type(fault) for fault in consistency.faults(loaded(text))] == [DescriptionError, OrderError]


def test_a_right_stack_has_no_fault_and_nothing_to_tell() -> None:
    right = loaded(f"components:\n{component('a', 'b')}{component('b')}")
    assert (consistency.faults(right), consistency.notices(right)) == ([], [])


def test_what_is_left_out_is_told_and_who_needs_it() -> None:
    text = f"components:\n{component('a', 'b')}{component('b')}{component('c')}"
    narrowed, needed = consistency.notices(loaded(text, skip=("b",)))
    assert "2 of 3 components are taken" in narrowed.message
    assert (needed.component, needed.message) == ("a", "needs b, which is left out")
    assert needed.where == "input/config.yaml:5"
    assert len(consistency.notices(loaded(text, names=("c",)))) == 1
