"""Texts of objects with other values: the value is right, and what did not change stays as it was written."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.examples_tried import tried

from cluster_forge.manifests import emitter, text_edits

TEXT = """\
# head
apiVersion: apps/v1 # version
kind: Deployment
metadata:
  name: web   # its name
  labels:
    # about a
    a: b
spec:
  # why two
  replicas: 2  # two
  template:
    spec:
      containers:
      # main
      - name: web
        image: nginx  # pinned
        args:
        - --a
        - --b # bee
        # after the arguments
      - name: side
        image: x
  script: |
    line 1
    # no comment
  # after the script
  zz: end
"""

names = st.text("abz-", min_size=1, max_size=3)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["a\nb\n", "a\n\n# b", "on", "1", "a: b", "# c", "- d", " e\nf"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=12,
)
bodies = st.dictionaries(names, values, min_size=1, max_size=4)


def edited(change: Any) -> str:
    before = yaml.safe_load(TEXT)
    after = copy.deepcopy(before)
    change(after)
    result = text_edits.edited(TEXT, before, after)
    assert result is not None
    assert yaml.safe_load(result) == after
    return result


def lost(result: str) -> list[str]:
    """The lines that are not in the result."""
    return [line for line in TEXT.splitlines() if line not in result.splitlines()]


def test_a_scalar() -> None:
    result = edited(lambda body: body["spec"].update(replicas=5))
    assert lost(result) == ["  replicas: 2  # two"]
    assert "  replicas: 5  # two\n" in result


def test_a_field_of_an_entry() -> None:
    def change(body: Any) -> None:
        body["spec"]["template"]["spec"]["containers"][0]["image"] = "y: z"

    assert lost(edited(change)) == ["        image: nginx  # pinned"]


def test_an_entry_that_is_added_and_one_that_is_removed() -> None:
    def change(body: Any) -> None:
        body["spec"]["template"]["spec"]["containers"] = [
            body["spec"]["template"]["spec"]["containers"][0],
            {"name": "new", "image": "q"},
        ]

    assert lost(edited(change)) == ["      - name: side", "        image: x"]


def test_a_field_that_is_added_and_one_that_is_removed() -> None:
    def change(body: Any) -> None:
        body["metadata"]["labels"] = {"c": "d"}
        body["spec"]["aa"] = [1, {"b": 2}]

    assert lost(edited(change)) == ["    a: b"]


def test_a_text_of_several_lines() -> None:
    result = edited(lambda body: body["spec"].update(script="other\n\n# text\n"))
    assert "  script: |\n    other\n\n    # text\n  # after the script\n" in result


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x\n", "a: !!str 1\n", "? [a]\n: 1\n", "- 1\n", ""])
def test_what_cannot_be_edited(text: str) -> None:
    assert text_edits.edited(text, {"a": 1}, {"a": 2}) is None


@tried(300)
@given(bodies, bodies)
def test_the_value_is_the_wanted_one(before: dict[str, Any], after: dict[str, Any]) -> None:
    result = text_edits.edited(emitter.document(before), before, after)
    if result is not None:
        assert yaml.safe_load(result) == after


@tried(200)
@given(bodies, st.data())
def test_comments_beside_a_change_stay(body: dict[str, Any], data: st.DataObject) -> None:
    text = re.sub(r"^(?=\w)", "# mine\n", emitter.document(body), flags=re.MULTILINE)
    if yaml.safe_load(text) != body:  # a line of a text was taken for a key
        return
    key = data.draw(st.sampled_from(sorted(body)))
    after = {**body, key: data.draw(values)}
    result = text_edits.edited(text, body, after)
    assert result is None or result.count("# mine") >= text.count("# mine")
