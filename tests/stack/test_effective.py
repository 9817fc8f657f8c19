from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.stack import effective
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.document_writer import document

leaf = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "y", "a b", "two\nlines\n", "# no comment"])
)
tree = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "on"]), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), tree, max_size=3))
def test_the_text_is_read_as_the_description_with_and_without_origins(value: dict[str, Any]) -> None:
    origins = dict(positioned_reader.read(document(value).encode(), "f.yaml").root.origins())
    for shown in (effective.text(value, {}), effective.text(value, origins)):
        assert (positioned_reader.read(shown.encode(), "f").value or {}) == value


def test_every_value_is_shown_with_its_origin() -> None:
    shown = effective.text({"a": {"b": 1}, "c": [2]}, {("a", "b"): "base.yaml:3", ("c", 0): "input/config.yaml:7"})
    assert [line.split() for line in shown.splitlines()] == [
        ["a:"],
        ["b:", "1", "#", "base.yaml:3"],
        ["c:"],
        ["-", "2", "#", "input/config.yaml:7"],
    ]
    assert effective.path_text(("components", 3, "values", "replicas")) == "components[3].values.replicas"
