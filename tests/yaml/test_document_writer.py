from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.document_writer import document, scalar

trap = st.one_of(
    st.sampled_from(
        [
            "y",
            "No",
            "0o17",
            "1e3",
            "1_000",
            "0b11",
            "08",
            "-.5",
            "1:30",
            "2001-01-01",
            "=",
            "<<",
            "~",
            ".",
            "..",
            "1.2.3",
        ]
    ),
    st.text("0123456789.:-+_eExXoObTZ y#", max_size=8),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    st.text(" \n\tab#:'\"|>-", max_size=10),
)
leaf = st.one_of(
    trap,
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(-1e6, 1e6).filter(lambda number: not number.is_integer()),
)
tree = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(trap, inner, max_size=3), max_leaves=10
)


@given(st.dictionaries(trap, tree, max_size=4))
def test_written_values_are_read_as_the_same_values(value: dict[str, Any]) -> None:
    assert (positioned_reader.read(document(value).encode(), "f").value or {}) == value


@given(trap)
def test_other_parsers_read_text_as_text(text: str) -> None:
    assert yaml.safe_load(document({"a": [text], "b": {"c": text}})) == {"a": [text], "b": {"c": text}}


def test_documents_are_easy_to_read() -> None:
    text = document(
        {
            "name": "shop",
            "version": "1.10",
            "release": "12.11.1",
            "needs": ["cert-manager", "1password", "y"],
            "urls": ["https://example.com/" + "x" * 60, "https://example.com/" + "y" * 60],
            "helm": {"chart": "./charts/shop", "empty": {}, "nothing": []},
            "script": "#!/bin/sh\necho 'hi'\n",
            "kept": "a\n\n\n",
            "odd": " a\nb",
            "nested": [[1, {"a": 1, "b": [{"c": None}]}], True],
        }
    )
    assert text == (
        "name: shop\n"
        'version: "1.10"\n'
        "release: 12.11.1\n"
        'needs: [cert-manager, "1password", "y"]\n'
        "urls:\n"
        f"- https://example.com/{'x' * 60}\n"
        f"- https://example.com/{'y' * 60}\n"
        "helm:\n"
        "  chart: ./charts/shop\n"
        "  empty: {}\n"
        "  nothing: []\n"
        "script: |\n"
        "  #!/bin/sh\n"
        "  echo 'hi'\n"
        "kept: |+\n"
        "  a\n"
        "\n"
        "\n"
        'odd: " a\\nb"\n'
        "nested:\n"
        "- - 1\n"
        "  - a: 1\n"
        "    b:\n"
        "    - c: null\n"
        "- true\n"
    )


def test_an_empty_mapping_is_written_in_braces() -> None:
    assert document({}) == "{}\n"


def test_a_lone_surrogate_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        scalar("\ud800")


def test_a_long_key_has_the_explicit_form() -> None:
    value = {"k" * 2_000: {"a": [1]}, "list": [{"k" * 1_100: "x"}]}
    assert positioned_reader.read(document(value).encode(), "f").value == value
