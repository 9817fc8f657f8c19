"""YAML as Kubernetes reads it: the readers against known values and against each other."""

from __future__ import annotations

import math
import subprocess
import sys
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.adapters.yaml import yaml_texts

from cluster_forge.adapters.yaml.blocks import BlockYaml
from cluster_forge.adapters.yaml.fast import FastYaml, is_alike
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.ports.rendering import YamlDocument, YamlReader

PYTHON = PurePythonYaml()
GO = GoYaml(PYTHON)
FAST = FastYaml(GO)
BLOCKS = BlockYaml(FAST, least=0, most_lines=2)


@pytest.fixture(params=[GO, PYTHON, FAST, BLOCKS], ids=["go", "python", "fast", "blocks"])
def reader(request: pytest.FixtureRequest) -> YamlReader:
    reader: YamlReader = request.param
    return reader


def nested(depth: int) -> str:
    return "a: " + "[" * depth + "]" * depth


def indented(depth: int) -> str:
    return "".join(f"{' ' * level}a:\n" for level in range(depth)) + " " * depth + "b"


def bomb(levels: int) -> str:
    """Nine aliases of nine aliases of …"""
    first = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    return first + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, levels))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0755", 493),
        ("0o17", 15),
        ("017", 15),
        ("08", 8),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("1e3", 1000),
        ("12e03", 12000),
        ("1e400", "1e400"),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1.0", 1),
        ("2001-01-01", "2001-01-01"),
        ("2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
        *((word, True) for word in ("y", "Y", "yes", "on", "On", "true", "TRUE")),
        *((word, False) for word in ("n", "N", "no", "off", "OFF", "false", "False")),
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        *(
            (word, word)
            for word in ("=", "tRUE", "nULL", "none", "_1", "0x", "0o8", "1.2.3", "10Gi", "a:b", "b#c", "-", "<<")
        ),
        ('"y"', "y"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("!!int '3'", 3),
        ("!!float 1", 1),
        ("!!binary aGk=", "hi"),
        ("!local x", "x"),
        ("! x", "x"),
        ('"\\x41\\u263a\\/"', "A☺/"),
        ("'it''s'", "it's"),
        ("a # b", "a"),
        ("9007199254740992", 2**53),
        ("9007199254740993", 2**53 + 1),
        ("0x20000000000001", 2**53 + 1),
        ("0X20000000000001", 2**53 + 1),
        ("0o400000000000000001", 2**53 + 1),
        ("12345678901234567890", 12345678901234567890),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("123456789012345678901234567890", 1.2345678901234568e29),
        ("0.1", 0.1),
        ("5e-324", 5e-324),
    ],
)
def test_scalars_mean_what_they_mean_to_kubernetes(reader: YamlReader, text: str, value: Any) -> None:
    text = text if text != "-" else "'-'"
    assert same(reader.read(f"a: {text}"), {"a": value})
    assert same(reader.read(f"a:\n- {text}\n"), {"a": [value]})


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ("", None),
        ("\n\n", None),
        ("# a comment\n", None),
        ("---\n", None),
        ("null", None),
        ("~", None),
        ("{}", {}),
        ("[]", []),
        ("- 1\n- {a: b}\n", [1, {"a": "b"}]),
        ("plain text", "plain text"),
        ("12", 12),
        ('{"a": [1, true, null, "b\\/c"]}', {"a": [1, True, None, "b/c"]}),
        ("--- a", "a"),
        ("a: 1\n...\n", {"a": 1}),
        ("a: 1\n...", {"a": 1}),
        ("%YAML 1.1\n---\na: 1\n", {"a": 1}),
        ("\ufeffa: 1", {"a": 1}),
        ("a: 1\na: 2\n", {"a": 2}),
        ("1: a\ntrue: b\n1.5: c\ny: d\n", {"1": "a", "true": "d", "1.5": "c"}),
        ("? |\n  a\n: b\n", {"a\n": "b"}),
        ("a: |\n  x\n\n   y\n\n", {"a": "x\n\n y\n"}),
        ("a: |+\n  x\n\n", {"a": "x\n\n"}),
        ("a: |-\n  ---\n  # b\n", {"a": "---\n# b"}),
        ("a: >\n  x\n  y\n\n  z\n", {"a": "x y\nz\n"}),
        ("a: 'x\n\n  y'", {"a": "x\ny"}),
        ("a:\n- b: 1\n  c: 2\n- - 3\n", {"a": [{"b": 1, "c": 2}, [3]]}),
        ("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x 1\nb: *x\nc: &x 2\nd: *x\n", {"a": 1, "b": 1, "c": 2, "d": 2}),
        ("&x a: 1\nb: *x\n", {"a": 1, "b": "a"}),
        ("base: &b {x: 1, z: 2}\na:\n  <<: *b\n  x: 3\n", {"base": {"x": 1, "z": 2}, "a": {"x": 3, "z": 2}}),
        ("a: {<<: [{x: 1}, {x: 2, z: 3}], w: 0}\n", {"a": {"x": 1, "z": 3, "w": 0}}),
        ("a: {!!merge <<: {x: 1}}\n", {"a": {"x": 1}}),
        ("a: {'<<': {x: 1}}\n", {"a": {"<<": {"x": 1}}}),
    ],
)  # fmt: skip
def test_documents_are_read(reader: YamlReader, document: str, value: Any) -> None:
    assert same(reader.read(document), value)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("a: 1\n---\nb: 2\n", "more than one"),
        ("a: 1\n---", "more than one"),
        ("a: 1\n...\n---\nb: 2\n", "more than one"),
        ("a: 1\n...\nb: 2\n", "document start|more than one"),
        ("{a: 1}\nb: 2\n", "document start"),
        ("{a: 1}}", "document start"),
        ("&x {a: 1} b", "document start"),
        ("# c\n{a: 1} {b: 2}", "document start"),
        ("  a: 1\nb: 2\n", "document start"),
        ("a: \0", "NUL|control"),
        ("a: \x07", "control"),
        ("a: \ud800", "Unicode"),
        ("a: [", "did not find"),
        ("a: b: c", "mapping values are not allowed"),
        ("a:\n\t- b", "cannot start any token"),
        ("a: @b", "cannot start any token"),
        ("a: 1\n b: 2", "mapping values|did not find"),
        ('a: "\\q"', "escape"),
        ("a: *x", "unknown anchor"),
        ("a: &x\n  b: *x", "itself|inside"),
        ("? [a]\n: b", "key"),
        ("null: a", "key"),
        ("<<: 1", "map"),
        ("<<: [1]", "map"),
        ("a: .inf", "value|number"),
        ("a: -.Inf", "value|number"),
        ("a: .nan", "value|number"),
        ("a: !!int x", "!!int"),
        ("a: !!binary '*'", "base64"),
        ("a: !e!x b", "tag handle"),
        (nested(2000), "deep"),
        (nested(20_000), "deep|depth"),
        (indented(1100), "deep"),
        (bomb(9), "alias"),
    ],
)
def test_invalid_documents_are_reported(reader: YamlReader, document: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason) as caught:
        reader.read(document)
    assert "\n" not in caught.value.message


def test_line_of_an_error_is_reported(reader: YamlReader) -> None:
    with pytest.raises(ManifestError, match=r"line [34] of the document:"):
        reader.read("a: 1\nb:\n  - c\n d: 1\n")


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("<html><body>a: b: c</body></html>", "web page"),
        ("a:\n{{- if .Values.b }}\nb: c\n{{- end }}\n", "Helm template"),
        ("<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n", "merge conflict"),
        ("a:\n\tb: c\n", "indent with spaces"),
        ("a: [\n", "correct the YAML"),
    ],
)
def test_fix_recognizes_other_kinds_of_text(reader: YamlReader, text: str, fix: str) -> None:
    with pytest.raises(ManifestError) as caught:
        reader.read(text)
    assert fix in (caught.value.fix or "")


def test_deep_documents_are_read(reader: YamlReader) -> None:
    for text in (nested(250), indented(250)):
        value, depth = reader.read(text)["a"], 0
        while value and not isinstance(value, str):
            value, depth = next(iter(value.values() if isinstance(value, dict) else value)), depth + 1
        assert depth == 249


def test_many_aliases_are_read(reader: YamlReader) -> None:
    text = "a: &a {b: [1, 2, 3]}\nc:\n" + "- *a\n" * 1000
    assert reader.read(text)["c"] == [{"b": [1, 2, 3]}] * 1000


FRAGMENTS = [
    *("a", "b", "key", "1", "0755", "1.5", "-3", "1e3", "0x1F", "1_000", "1:30", "2001-01-01", "y", "no", "~", "null", "true"),
    *("'x'", "'it''s'", '"y"', '"a\\n\\tb"', '"\\u263a"', "é", "日本", "😀", "\u2028", "\x85", "{{ x }}", "a b", "x#y"),
    *(": ", ":", ":\n", ":\n  ", ":\n    ", "- ", "\n- ", "\n  - ", "\n", "\n\n", "\n  ", "\n    ", " ", "  ", "\t", "\r\n"),
    *("[", "]", "{", "}", ", ", ",", "{}", "[]", "[a, b]", "{a: b}", "? ", "#c\n", " #c\n", "|\n  ", "|-\n  ", ">\n  ", "|2+\n  "),
    *("&x ", "*x", "&y ", "*y", "<<: ", "!!str ", "!!int ", "!t ", "---\n", "--- ", "\n---\n", "...\n", "%YAML 1.1\n", "'", '"'),
    *("a: 1\n", "b: x\n", "c:\n- d\n", "e:\n  f: g\n", "  h: i\n", "- j: k\n  l: m\n", "9007199254740993", "<<", "=", "@", "`", "\\"),
]  # fmt: skip
LINES = [
    *("a: 1", "b: 'x'", "c:", "  d: y", "  e:", "    f: [1, {g: h}]", "- i", "  - j: 0755", "    k: |", "      text", "", "# c"),
    *("      more: # text", "l: &x {m: n}", "o: *x", "  <<: *x", "p: >-", "  folded", "  text", "q: \"a", '  b"', "? r", ": s"),
    *("t: [1,", "  2]", "u: {v: w,", "  x: y}", "---", "...", "z: !!str 1", "1.5: a", "- - b", "  - c", "\td: e", "f: g: h", "a: 2"),
]  # fmt: skip

fragments = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)
lines = st.lists(st.sampled_from(LINES), max_size=12).map("\n".join)


@settings(max_examples=1500)
@given(st.one_of(fragments, lines, st.text("ab01:-?# \n\t'\"[]{},&*!|>%@.=<~_", max_size=24)))
@example("{a: 1}\nb: 2")
@example("  a: 1\nb: 2")
@example("a: 1\n%FOO")
@example("a: 1\n...\n")
@example("a: &x [*x]")
@example("null")
def test_both_readers_agree_on_any_text(document: str) -> None:
    go, python = outcome(GO, document), outcome(PYTHON, document)
    assert same(go, python), f"{document!r}: Go {go!r}, Python {python!r}"


KNOWN_DIFFERENCES = (
    "c: .inf\n",
    "a: .nan \n",
    ".5: a\n",
    ".inf: a\n",
    "a: 0755 \n",
    "a: 010 \n# c\n",
    "a:\n- 1:\n",
    "a:\n- 1.5:   b\n",
    "a: 0755",
    "a: 2001-01-01\n",
    "a: |\n  x",
    "a: |\n  x\n\n",
    "a: |-\n\n  x",
    "a: 'x\n\n  y'",
    "a: [y, n]\n",
    "a: {b: 0755}\n",
    "cluster-forge/end: 1\n",
)
"""Documents that yaml-rs reads differently, and that an earlier or a future scan may let pass."""


class TestFastYaml:
    @pytest.mark.parametrize("text", KNOWN_DIFFERENCES)
    def test_known_differences_go_to_the_exact_reader(self, text: str) -> None:
        assert json_of(FAST, text) == json_of(GO, text)

    @settings(max_examples=800)
    @given(st.randoms(use_true_random=False).map(yaml_texts.document))
    def test_generated_documents_read_the_same(self, text: str) -> None:
        assert json_of(FAST, text) == json_of(GO, text)

    @pytest.mark.parametrize("seed", range(4))
    def test_thousands_of_documents_read_the_same(self, seed: int) -> None:
        draw, passed = Random(seed), 0
        for _ in range(2000):
            text = yaml_texts.document(draw)
            if is_alike(text):
                passed += 1
                assert json_of(FAST, text) == json_of(GO, text), repr(text)
        assert passed > 200, "the scan lets too few documents pass"

    @settings(max_examples=800)
    @given(st.one_of(fragments, lines, st.text("ab01:-?# \n\t'\"[]{},&*!|>%@.=<~_", max_size=24)))
    def test_any_text_reads_the_same(self, text: str) -> None:
        assert json_of(FAST, text) == json_of(GO, text)

    @settings(max_examples=300)
    @given(st.text(max_size=12))
    def test_any_character_reads_the_same(self, text: str) -> None:
        for document in (
            f"a: {text}\n",
            f"a: |\n  {text}\nb: c\n",
            f"a: 'x{text}'\n",
            f'a: "x{text}"\n',
            f"- {text}\n",
        ):
            assert json_of(FAST, document) == json_of(GO, document), repr(document)

    @pytest.mark.parametrize(
        "text",
        [
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: |\n    - b: [\n\n     'c\n  d: e\n",
            "# c\na:\n- b: 'it''s'\n  c: \"x\\ty\"\n- 10Gi\n- 1.2.3\n- true\n- - no-entry\n".replace(
                "- - no-entry\n", ""
            ),
            "a: {b: c, d: {e: [--f=g, 50m, 25%], h: true}, 'i': \"j k\"}\nl:\n- {m: 0, k: /o/p}\n- q: [{r: 1.2.3, s: null}]\n",
            "a: [x, y-1, 2]\nb: {}\nc: []\nd: ~\ne:\n  f: text that goes\n    on\n",
        ],
    )
    def test_typical_manifests_pass_the_scan(self, text: str) -> None:
        assert is_alike(text)
        assert json_of(FAST, text) == json_of(GO, text)

    def test_exact_reader_is_not_used_for_what_passes(self) -> None:
        class Forbidden:
            def read(self, document: str) -> Any:
                raise AssertionError(document)

            def examine(self, document: str) -> YamlDocument:
                raise AssertionError(document)

        assert FastYaml(Forbidden()).read("a: b\nc: |\n  d\n") == {"a": "b", "c": "d\n"}

    @pytest.mark.parametrize(
        "text", ["a:\n  " + "- " * 3000 + "b\n", "a: " + "x" * 1_000_000 + "\n", "- a\n" * 200_000]
    )
    def test_scan_is_linear(self, text: str) -> None:
        """The scan never backtracks: its time grows with the text only."""
        is_alike(text)
        is_alike(text + "\t")


def json_of(reader: YamlReader, text: str) -> Any:
    """The value as JSON, which distinguishes ``1`` from ``True`` and from ``1.0``."""
    value = outcome(reader, text)
    return value if isinstance(value, Refused) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


class Refused:
    """Stands for any ManifestError: the texts of the readers differ."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refused)

    __hash__ = None  # type: ignore[assignment]


def outcome(reader: YamlReader, document: str) -> Any:
    try:
        return reader.read(document)
    except ManifestError:
        return Refused()


def same(one: Any, other: Any) -> bool:
    """Whether the values are equal; ``True`` and ``1`` differ, ``1`` and ``1.0`` do not."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=0, abs_tol=0)
    return bool(one == other)


def test_short_lived_threads_may_read() -> None:
    """yaml-rs 0.1.6 crashes when the thread that imported it has ended."""
    script = """
import threading
from cluster_forge.adapters.yaml.blocks import BlockYaml
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
reader, values = FastYaml(PurePythonYaml()), []
def read():
    values.append([reader.read("a: [x, z]\\n") for _ in range(3000)][-1])
for _ in range(3):
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
print(values == [{"a": ["x", "z"]}] * 3)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n")
