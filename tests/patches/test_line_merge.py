"""A saved change of a text meets a newer version of it: the result is that of the three-way merge, or an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.patches.trees import texts as some_texts

from cluster_forge.foundation.errors import PatchError
from cluster_forge.patches import json_operations, json_patch, three_way
from cluster_forge.patches.smallest import JsonPatch, smallest

LINES = [f"line {number}\n" for number in range(1, 10)]


def config(text: str, kind: str = "ConfigMap") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, "data": {"a.conf": text}}


def with_lines(**changed: str) -> str:
    """The nine lines with others in the place of some: ``_3="x"``."""
    new = {int(name.removeprefix("_")): f"{line}\n" for name, line in changed.items()}
    return "".join(new.get(number, line) for number, line in enumerate(LINES, start=1))


def saved(before: str, after: str, kind: str = "ConfigMap") -> JsonPatch:
    patch = smallest(config(before, kind), config(after, kind), None)
    assert isinstance(patch, JsonPatch)
    return patch


@given(some_texts, some_texts, some_texts)
def test_it_is_the_merge_of_the_three_texts_or_an_error(before: str, after: str, present: str) -> None:
    merge = three_way.merge(config(before), config(present), config(after), None)
    patch = saved(before, after)
    if merge.conflicts:
        with pytest.raises(PatchError, match="the text has changed"):
            patch.apply(config(present), None)
    else:
        assert patch.apply(config(present), None) == merge.value


def test_changes_of_other_lines_are_kept() -> None:
    patch = saved(with_lines(), with_lines(_2="mine"))
    assert patch.apply(config(with_lines(_8="theirs")), None) == config(with_lines(_2="mine", _8="theirs"))


def test_a_change_that_upstream_made_too_changes_nothing() -> None:
    present = config(with_lines(_2="mine", _8="theirs"))
    assert saved(with_lines(), with_lines(_2="mine")).apply(present, None) == present


def test_a_clash_names_the_lines_and_no_value() -> None:
    patch = saved(with_lines(), with_lines(_2="s3cr3t", _6="mine"), "Secret")
    with pytest.raises(PatchError) as caught:
        patch.apply(config(with_lines(_2="other", _6="theirs"), "Secret"), None)
    assert caught.value.message == (
        "operation 1 (test /data/a.conf): the text has changed in 2 places that the patch changes, too:"
        " in its text from line 2, 6"
    )
    assert "s3cr3t" not in str(caught.value)


def test_a_text_in_a_list_is_merged() -> None:
    def pod(script: str) -> dict[str, Any]:
        container = {"name": "web", "command": ["sh", "-c", script]}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [container]}}

    patch = smallest(pod(with_lines()), pod(with_lines(_2="mine")), None)
    assert patch.apply(pod(with_lines(_8="theirs")), None) == pod(with_lines(_2="mine", _8="theirs"))


@pytest.mark.parametrize("present", ["one line", 5, None, {"a": "b"}])
def test_what_is_not_a_text_of_lines_is_only_tested(present: Any) -> None:
    with pytest.raises(PatchError, match="the value differs"):
        saved(with_lines(), with_lines(_2="mine")).apply(config(present), None)


def test_a_patch_that_does_not_ask_for_it_only_tests() -> None:
    operations = json_operations.parse(
        [
            {"op": "test", "path": "/data/a.conf", "value": with_lines()},
            {"op": "replace", "path": "/data/a.conf", "value": with_lines(_2="mine")},
        ]
    )
    with pytest.raises(PatchError, match="line 8 is"):
        json_patch.apply(config(with_lines(_8="theirs")), operations)
