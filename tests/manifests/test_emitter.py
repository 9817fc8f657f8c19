"""Emitted text has the identical value for Kubernetes' own reader and for YAML 1.1 and 1.2 parsers."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
import ryaml
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.manifests import emitter

GO, PYTHON = GoYaml(PurePythonYaml()), PurePythonYaml()


def yaml_1_1(text: str) -> Any:
    return yaml.load(text, yaml.CSafeLoader)


def yaml_1_2(text: str) -> Any:
    return ryaml.loads(text)  # type: ignore[attr-defined]


READERS = (GO.read, PYTHON.read, yaml_1_1, yaml_1_2)


TRAPS = [
    *('y', 'n', 'Y', 'N', 'yes', 'no', 'on', 'off', 'On', 'OFF', 'true', 'True', 'false', 'null', 'Null', 'NULL', '~', 'none', 'nan', 'NaN', '.nan', '.inf', '-.inf', '+.inf', 'inf'),
    *('0o17', '0O17', '017', '08', '0x1F', '0X1f', '0b11', '1e3', '1E3', '12e03', '1_000', '1__0', '_1', '+1', '-1', '1.', '.5', '-.5', '+.5', '1e400', '0x', '1:30', '190:20:30'),
    *('2001-01-01', '2001-01-01T00:00:00Z', '12:30:45', '=', '<<', '-', '--', '---', '...', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', "'", '"', '%', '@', '`', '\\', '/'),
    *('a:', 'a:b', ':a', 'a#', '#a', 'a-b', '-a', '?a', '!a', '&a', '*a', '@a', '%a', '`a', '|a', '>a', 'a,', '[a', '{a', 'a}', 'a]', "'a'", '"a"', 'a\\b', '<a', '<<a', '=a'),
    *("", " ", "  ", " a", "a ", "a: b", "a #b", "a  b", "- a", "? a", "! a", "a :b", "a\tb", "\ta", "a\t", "é", "ß ü", "日本", "😀"),
    *("\n", "\n\n", "a\n", "a\nb", "a\nb\n", "a\n\n", "\na", "\n\na\n", " a\nb", "a\n b\n", "a \nb", "a\n\tb", "\t\na", "a\n  \nb"),
    *("a\r\nb", "\r", "\x00", "\x07", "\x1b", "\x7f", "\x80", "\x85", "\xa0", "\u2028", "\u2029", "\ufeff", "\ufffe", "\ud7ff", "\ue000"),
    *("#!/bin/sh\nset -eu\n", "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n", "---\na: b\n", "# c\nx\n", "x" * 2000),
    "{{ .Values.x }}", "%{a}", "100%", "10Gi", "500m", "1.33", "v1.2.3", "--v=2", "--", "--a: b", "---a", "-- a", "--1", "--a #b", "1.2.3", "10.0.0.1", "1.2.3-rc1+x", "2001.01.01", "1.2.3e4", "1.2.", "1..2", "0.0.0", "1.2.3-", "*/5 * * * *", "https://a.b/c?d=e&f#g", "a=b,c in (d)",
]  # fmt: skip

text = st.one_of(
    st.sampled_from(TRAPS),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.text("ab01 \n\t:#-.'\"_xeE+", max_size=12),
    st.lists(st.sampled_from(TRAPS), min_size=2, max_size=4).map("\n".join),
)
number = st.one_of(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False).map(float))
scalar = st.one_of(text, number, st.booleans(), st.none())
value = st.recursive(
    scalar,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
    max_leaves=20,
)
body = st.dictionaries(text, value, max_size=5)


def same(expected: Any, actual: Any) -> bool:
    """Whether the trees are equal; a number that is a float to JSON is compared as one, whole or not."""
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and expected.keys() == actual.keys()
            and all(same(value, actual[key]) for key, value in expected.items())
        )
    if isinstance(expected, list):
        return isinstance(actual, list) and len(expected) == len(actual) and all(map(same, expected, actual))
    if isinstance(expected, float):
        return isinstance(actual, int | float) and not isinstance(actual, bool) and float(actual) == expected
    return type(expected) is type(actual) and bool(expected == actual)


@given(body)
def test_every_parser_reads_the_identical_value(tree: dict[str, Any]) -> None:
    written = emitter.document(tree)
    for read in READERS:
        assert same(tree, read(written)), written


@pytest.mark.parametrize("trap", TRAPS)
def test_every_trap_survives_in_every_place(trap: str) -> None:
    tree = {"value": trap, "list": [trap, [trap], {trap: trap}], "map": {trap: {"deep": trap}}, "last": trap}
    written = emitter.document(tree)
    for read in READERS:
        assert read(written) == tree


def test_the_style_is_that_of_kubectl() -> None:
    tree = {
        "apiVersion": "v1",
        "data": {"run.sh": "#!/bin/sh\necho hi\n", "mode": "0755", "on": "yes"},
        "items": [{"a": 1, "b": ["x", "y: z"]}, [], {}, ["nested"]],
        "ratio": 1.5,
        "big": 1e21,
        "none": None,
    }
    assert emitter.document(tree) == (
        "apiVersion: v1\n"
        "data:\n"
        "  run.sh: |\n"
        "    #!/bin/sh\n"
        "    echo hi\n"
        '  mode: "0755"\n'
        '  "on": "yes"\n'
        "items:\n"
        "- a: 1\n"
        "  b:\n"
        "  - x\n"
        '  - "y: z"\n'
        "- []\n"
        "- {}\n"
        "- - nested\n"
        "ratio: 1.5\n"
        "big: 1.0e+21\n"
        "none: null\n"
    )


def test_long_lines_are_not_folded() -> None:
    words = "word " * 200 + "end"
    assert emitter.document({"a": words}) == f"a: {words}\n"


def test_an_empty_body() -> None:
    assert emitter.document({}) == "{}\n"


def test_a_json_round_trip_keeps_the_value() -> None:
    tree = {"a": [1, 2.5, "x\ny", None, True, {"k": "v"}]}
    assert json.loads(json.dumps(tree)) == GO.read(emitter.document(tree))


def test_a_body_that_is_nested_too_deep_is_refused() -> None:
    deep: dict[str, Any] = {"a": 1}
    for _ in range(150):
        deep = {"a": deep}
    assert GO.read(emitter.document(deep)) == deep
    for _ in range(700):
        deep = {"a": deep}
    with pytest.raises(ManifestError, match=r"nesting too deep \(limit 200\)"):
        emitter.document(deep)


@pytest.mark.parametrize("text", ["word " * 300_000, "a line\n" * 200_000, "\n" * 1_000_000 + "x", "'\"" * 500_000])
def test_large_texts_take_little_memory(text: str) -> None:
    tracemalloc.start()
    try:
        document = emitter.document({"a": text})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(text)
    assert PYTHON.read(document) == {"a": text}
