"""Comments of the user's text go along into the text of a part of the object."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.examples_tried import tried

from cluster_forge.manifests import comments, emitter

TEXT = """\
# head
apiVersion: v1
kind: Deployment
metadata:
  name: web
spec:
  # why five
  replicas: 5  # until May
  script: |
    # not a comment
    line # neither
  template:
    containers:
    # the main one
    - name: web
      image: x # pinned
    - name: side
      image: y # moved
# the end
"""


def test_they_belong_to_what_is_below_and_beside_them() -> None:
    known = comments.of(TEXT)
    assert known.above == {
        ("apiVersion",): ("# head",),
        ("spec", "replicas"): ("# why five",),
        ("spec", "template", "containers", "=web"): ("# the main one",),
        (): ("# the end",),
    }
    assert known.beside == {
        ("spec", "replicas"): "# until May",
        ("spec", "template", "containers", "=web", "image"): "# pinned",
        ("spec", "template", "containers", "=side", "image"): "# moved",
    }
    assert len(known.lines) == 7


def test_they_go_to_the_same_field_or_the_nearest_one_around_it() -> None:
    part = {"apiVersion": "v1", "spec": {"replicas": 5, "template": {"containers": [{"name": "web", "image": "x"}]}}}
    text = comments.added(emitter.document(part), comments.of(TEXT))
    assert (
        text
        == """\
# head
# the end
apiVersion: v1
spec:
  # why five
  replicas: 5  # until May
  template:
    # moved
    containers:
    # the main one
    - name: web
      image: x  # pinned
"""
    )


@pytest.mark.parametrize("text", ["", "a: [\n", "just text # no\n", "# only\n"])
def test_other_texts_have_none_or_their_own(text: str) -> None:
    assert all(line.startswith("#") for line in comments.of(text).lines)


def test_line_breaks_and_marks_of_other_editors() -> None:
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    assert comments.of(text) == comments.of(TEXT)


keys = st.text("abc", min_size=1, max_size=2)
values = st.recursive(
    st.one_of(st.integers(), st.sampled_from(["x", "a\nb\n", "# d", "e # f\n# g\n"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=10,
)


@tried(200)
@given(st.dictionaries(keys, values, min_size=1, max_size=4), st.dictionaries(keys, values, min_size=1, max_size=4))
def test_no_comment_and_no_value_is_lost(body: dict[str, object], part: dict[str, object]) -> None:
    text = "# mine\n" + emitter.document(body) + "# end\n"
    known = comments.of(text)
    assert {"# mine", "# end"} <= set(known.lines)
    written = comments.added(emitter.document(part), known)
    assert yaml.safe_load(written) == part
    assert all(line in written for line in known.lines)
