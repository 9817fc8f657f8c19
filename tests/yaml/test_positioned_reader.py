from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.yaml import positioned_reader

Errors = Callable[[Callable[[], object]], list[str]]


def test_every_path_has_its_line() -> None:
    document = positioned_reader.read(b"# a comment\na: 1.10\nb:\n- x\n- c: [1, 2]\n  d: |\n    text\n", "f.yaml")
    assert document.value == {"a": 1.1, "b": ["x", {"c": [1, 2], "d": "text\n"}]}
    assert [document.line(path) for path in [(), ("a",), ("b",), ("b", 0), ("b", 1, "c", 1), ("b", 1, "d")]] == [
        2,
        2,
        3,
        4,
        5,
        6,
    ]
    assert document.line(("b", 1, "nothing", "there")) == 5
    assert document.line(("b", 7)) == 3
    assert document.where(("a",)) == "f.yaml:2"
    assert (document.text(("a",)), document.text(("b", 0))) == ("1.10", "x")


@pytest.mark.parametrize("text", [b"", b"# nothing\n", b"---\n", b"null\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_value(text: bytes) -> None:
    assert positioned_reader.read(text, "f").value is None


def test_a_second_document_is_an_error_for_read() -> None:
    text = b"a: 1\n---\n---\n- b\n"
    assert [document.value for document in positioned_reader.read_all(text, "f")] == [{"a": 1}, ["b"]]
    with pytest.raises(DescriptionError, match="second YAML document") as caught:
        positioned_reader.read(text, "f")
    assert caught.value.where == "f:4"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x: &x {a: 1}\nk: *x", {"x": {"a": 1}, "k": {"a": 1}}),
        ("x: &x 1\nk: &x 2\nz: *x", {"x": 1, "k": 2, "z": 2}),
        ("<<: {a: 1, b: 2}\na: 3", {"a": 3, "b": 2}),
        ("a: 3\n<<: {a: 1, b: 2}", {"a": 1, "b": 2}),
        ("<<: [{a: 1}, {a: 2, b: 2}]", {"a": 1, "b": 2}),
        ("'<<': 1", {"<<": 1}),
        ("y: 1\n0x10: 2\n1e3: 3", {"true": 1, "16": 2, "1000": 3}),
    ],
)
def test_anchors_merge_keys_and_keys_as_in_go(text: str, value: object) -> None:
    assert positioned_reader.read(text.encode(), "f").value == value


def test_an_alias_has_the_line_of_its_key_and_its_parts_those_of_the_anchor() -> None:
    document = positioned_reader.read(b"x: &x\n  a: 1\nk: *x\n", "f")
    assert (document.line(("k",)), document.line(("k", "a"))) == (3, 2)


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (
            "a: 1\nb: {c: 1, c: 2}\na: 3\n",
            [
                "f:2: duplicate key 'c', first used in line 2",
                "f:3: duplicate key 'a', first used in line 1",
            ],
        ),
        ("1: a\n'1': b\n", ["f:2: duplicate key '1', first used in line 1"]),
        (
            "a: .inf\n~: 1\n",
            ["f:1: .inf is not a number in JSON, and so not in Kubernetes", "f:2: null cannot be a key"],
        ),
        ("<<: 5\na: 1", ["f:1: '<<' must be a mapping or a list of mappings"]),
        ("{{ name }}: x", ["f:1: a key must be text, not a list or a mapping"]),
        ("a: &a [*a]", ["f:1: the alias *a is inside its own anchor"]),
        ("a: *b", ["f:1: unknown alias *b: there is no anchor &b before it"]),
        ("[" * 200, ["f:1: nesting too deep (limit 100)"]),
        ("- " * 100_000, ["f:1: nesting too deep (limit 100)"]),
    ],
)
def test_malformed_values_are_reported_with_their_line(text: str, errors: list[str], errors_of: Errors) -> None:
    assert errors_of(lambda: positioned_reader.read(text.encode(), "f")) == errors


def test_a_yaml_bomb_is_refused(errors_of: Errors) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    assert errors_of(lambda: positioned_reader.read("\n".join(lines).encode(), "f")) == [
        "f:5: aliases repeat too many values (limit 100,000)"
    ]


def test_text_that_is_not_utf_8_is_an_error(errors_of: Errors) -> None:
    assert errors_of(lambda: positioned_reader.read(b"a: 1\nb: \xff\n", "f")) == ["f:2: the file is not UTF-8 text"]


@given(st.text(st.sampled_from("ab:-?#&*!|>'\"%@`{}[], \t\n\r<~1."), max_size=40))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    places: list[str | None] = []
    try:
        positioned_reader.read(text.encode(), "f.yaml")
    except (ForgeError, ExceptionGroup) as error:
        places = [leaf.where for leaf in leaves(error) if isinstance(leaf, ForgeError)]
    lines = [int((place or "").removeprefix("f.yaml:")) for place in places]
    assert all(1 <= line <= text.count("\n") + text.count("\r") + 1 for line in lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: 1\n" + b"#" * (5 << 20), "bytes (limit 5,242,880)"),
        (b"- a\n" * 50_001, "the file has too many values (limit 50,000)"),
        (b"---\na: 1\n" * 20_000, "the file has too many values (limit 50,000)"),
    ],
)
def test_files_beyond_the_limits_are_refused(text: bytes, message: str, errors_of: Errors) -> None:
    (error,) = errors_of(lambda: positioned_reader.read(text, "f"))
    assert message in error


def test_at_most_a_hundred_errors_are_reported(errors_of: Errors) -> None:
    assert len(errors_of(lambda: positioned_reader.read(b"a: 1\n" * 50_000, "f"))) == 100


def test_many_merged_mappings_are_fast() -> None:
    text = b"x:\n  <<: [" + b", ".join(b"{k%d: 1, same: %d}" % (n, n) for n in range(5_000)) + b"]\n"
    merged = positioned_reader.read(text, "f").value["x"]
    assert (len(merged), merged["same"]) == (5_001, 0)


def test_an_error_at_the_end_of_a_large_file_is_explained_fast(errors_of: Errors) -> None:
    assert errors_of(lambda: positioned_reader.read(b"\n" * 5_000_000 + b"b: [\n", "f")) == [
        "f:5000001: a value is missing here"
    ]
