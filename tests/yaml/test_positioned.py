from __future__ import annotations

from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned


def test_origins_name_every_path() -> None:
    found = positioned_reader.read(b"a: 1\nb:\n- c: 2\n- d\n", "f").root
    assert dict(found.origins()) == {
        ("a",): "f:1",
        ("b",): "f:2",
        ("b", 0): "f:3",
        ("b", 0, "c"): "f:3",
        ("b", 1): "f:4",
    }


def test_plain_values_stand_where_another_stands() -> None:
    like = Positioned(None, "f", 3)
    made = Positioned.of({"a": [1, Positioned("x", "g", 9)]}, like)
    assert made.plain == {"a": [1, "x"]}
    assert (made.at(("a", 0)).where, made.at(("a", 1)).where) == ("f:3", "g:9")


def test_a_place_without_a_line_is_the_file() -> None:
    assert Positioned(1, "catalog").where == "catalog"
    assert Positioned(1, "").where == ""


def test_parts_that_are_not_there() -> None:
    found = positioned_reader.read(b"a: 1\nb: [x, 2]\n", "f").root
    assert found.get("c") is None
    assert [item.string for item in found.strings("b")] == ["x"]
    assert found.strings("a") == found.strings("c") == ()
    assert found.without("a").plain == {"b": ["x", 2]}
    assert found.at(("b",)).mapping == {}
    assert found.at(("a",)).items == ()
