from __future__ import annotations

from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned


def test_origins_have_every_path() -> None:
    root = positioned_reader.read(b"a: 1\nb:\n- c: 2\n- d\n", "f").root
    assert dict(root.origins()) == {
        ("a",): "f:1",
        ("b",): "f:2",
        ("b", 0): "f:3",
        ("b", 0, "c"): "f:3",
        ("b", 1): "f:4",
    }


def test_plain_values_take_the_position_of_another_value() -> None:
    like = Positioned(None, "f", 3)
    value = Positioned.of({"a": [1, Positioned("x", "g", 9)]}, like)
    assert value.plain == {"a": [1, "x"]}
    assert (value.at(("a", 0)).where, value.at(("a", 1)).where) == ("f:3", "g:9")


def test_a_position_without_a_line_is_the_file() -> None:
    assert Positioned(1, "catalog").where == "catalog"
    assert Positioned(1, "").where == ""


def test_missing_parts_are_empty() -> None:
    root = positioned_reader.read(b"a: 1\nb: [x, 2]\n", "f").root
    assert root.get("c") is None
    assert [item.string for item in root.strings("b")] == ["x"]
    assert root.strings("a") == root.strings("c") == ()
    assert root.without("a").plain == {"b": ["x", 2]}
    assert root.at(("b",)).mapping == {}
    assert root.at(("a",)).items == ()
