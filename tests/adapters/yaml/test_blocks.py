"""Documents that are taken apart read, and are written, as whole ones."""

from __future__ import annotations

from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.yaml import yaml_texts

from cluster_forge.adapters.yaml import blocks, fast
from cluster_forge.adapters.yaml.blocks import BlockYaml
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.manifests import emitter
from cluster_forge.ports.rendering import YamlReader

WHOLE = FastYaml(GoYaml(PurePythonYaml()))

SCHEMA = """\
schema:
  description: |-
    Some text.

    More: of it
  properties:
    selector:
      description: A selector
        that is folded.
      properties:
        matchLabels: {{}}
        required:
        - a
        - b
      type: object
    size:
      type: {type}
  type: object
"""


def taken_apart(most_lines: int = 2) -> BlockYaml:
    return BlockYaml(WHOLE, least=0, most_lines=most_lines)


def outcome(reader: YamlReader, text: str) -> Any:
    """What is read; what is written of it is checked."""
    try:
        document = reader.examine(text)
        content = orjson.dumps(document.value, option=orjson.OPT_SORT_KEYS)
    except (ManifestError, orjson.JSONEncodeError, RecursionError) as error:
        return type(error)
    if document.written:
        assert document.written == {key: emitter.document({key: value}) for key, value in orjson.loads(content).items()}
    return content, document.repeated_keys


def is_taken_apart(reader: YamlReader, text: str) -> bool:
    try:
        return bool(reader.examine(text).written)
    except ManifestError:
        return False


def below(key: str, text: str, indent: int) -> str:
    """A document below a key, at an indentation."""
    lines = "".join(f"{' ' * indent}{line}\n" if line.strip() else f"{line}\n" for line in text.split("\n")[:-1])
    return f"{key}:\n{lines}"


def repetitive(draw: Random) -> str:
    """A document of a few documents, each several times and at several depths."""
    parts = [yaml_texts.document(draw) for _ in range(2)]
    text = ""
    for number in range(draw.randrange(2, 6)):
        part = draw.choice(parts)
        for level in range(draw.randrange(3)):
            part = below(f"k{level}", part, draw.choice((1, 2, 2, 4)))
        text += below(f"{draw.choice('abc')}{number}", part, draw.choice((2, 2, 4)))
    return text


@settings(max_examples=400)
@given(st.randoms(use_true_random=False).map(yaml_texts.document))
def test_generated_documents_read_the_same(text: str) -> None:
    assert outcome(taken_apart(), text) == outcome(WHOLE, text)


@pytest.mark.parametrize("most_lines", [0, 1, 3, 100])
def test_documents_read_the_same_after_others(most_lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_BEGINNING", 8)
    draw, reader, apart = Random(most_lines), taken_apart(most_lines), 0
    for _ in range(300):
        text = repetitive(draw)
        assert outcome(reader, text) == outcome(WHOLE, text), repr(text)
        apart += is_taken_apart(reader, text)
    assert apart > 10, "too few documents were taken apart"


def test_what_is_forgotten_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_REMEMBERED", 300)
    draw, reader = Random(1), taken_apart()
    for _ in range(100):
        text = repetitive(draw)
        assert outcome(reader, text) == outcome(WHOLE, text), repr(text)


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  b: |2\n     x\n  c:\n    d: 1\n",
        "a:\n  b: |-\n    x\n \n      y\n  c: 1\n",  # a blank line shorter than the indentation
        "a:\n    b: |-\n        x\n      \n        y\n    c: 1\n",
        "a:\n  b: |\n    x\n # c\n    y\n",
        "a:\n# c\n  b:\n\n  # d\n    c: 1\n",
        "a:\n- b: 1\n  c:\n  - d: 1\n  - e: 2\n- b: 1\n",
        "a:\n- b: 1\n- c\n",
        "a:\n- - b: 1\n",
        "a:\n  - b: 1\n - c: 1\n",
        "a:\n  b: 1\n c: 1\n",
        "a:\n  b: 1\n  b: 2\n",
        "a:\n  y: 1\n",
        "a:\n  on:\n    b: 1\n",
        "a: &x\n  b: 1\nc: *x\n",
        "b:\n  z: 1\n  a: 2\na:\n- z: 1\n  a: |\n    x\n\n    y\n",
        "a:\n  b:\n  c:\n    d:\n",
        "# c\n\na:\n  b: 1\n# d\n",
        " a:\n   b: 1\n",
        "a:\n  cluster-forge/end: 1\n",
        "a:\n\tb: 1\n",
        "a:\n  b: 'x\n\n    y'\n",
        "a:\n  b: x\n    y\n\n    z\n  c: 1\n",
        "a: 1\n# c\rb: 2\n",
        "a: 1\n# c\x85b: 2\nc: 1\n",
        "a: 1\n# c\u2028b: 2\n",
        "a: 1\n# \0\nb: 2\n",
        "a: 1\n# \x01\nb: 2\n",
        "a:\n  _1: x\n",
        "_1:\n  a: x\n",
        "a:\n  __a: x\n",
        "a:\n" + "".join(f"{' ' * level}'k':\n" for level in range(1, 270)) + " " * 270 + "b\n",
    ],
)
def test_layouts_read_the_same(text: str) -> None:
    for most_lines in (0, 1, 100):
        reader = taken_apart(most_lines)
        for document in (text, below("x", text, 2), below("x", below("y", text, 3), 1), text):
            assert outcome(reader, document) == outcome(WHOLE, document), document


def test_the_same_text_at_another_column_is_another_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What begins alike may belong to another key."""
    monkeypatch.setattr(blocks, "_BEGINNING", 8)
    reader = taken_apart(2)
    below_it = "# c\n" * 4 + "      b: 1\n" + "".join(f"      c{number}: 1\n" for number in range(6))
    for text in ("x:\n  a:\n" + below_it, "z:\n      a:\n" + below_it, "x:\n  a:\n" + below_it):
        assert outcome(reader, text) == outcome(WHOLE, text), text


def test_a_text_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """At another depth, too, and in another document."""
    read: list[str] = []
    original = fast.value_of

    def value_of(document: str) -> dict[str, Any] | None:
        read.append(document)
        return original(document)

    reader = taken_apart(4)
    schema = SCHEMA.format(type="integer")
    reader.examine(below("spec", schema, 2))
    monkeypatch.setattr(fast, "value_of", value_of)
    changed = SCHEMA.format(type="string")
    document = reader.examine(below("other", below("spec", schema, 2), 2) + below("spec", changed, 2))
    assert set(document.written) == {"other", "spec"}
    assert read == ["size:\n  type: string\n"]


def test_small_documents_are_not_taken_apart() -> None:
    reader = BlockYaml(WHOLE)
    assert not reader.examine("a: 1\n").written
    assert reader.examine("a: 1\n" + "".join(f"b{number}: text\n" for number in range(1000))).written
