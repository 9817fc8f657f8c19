"""Documents are split as Helm splits them, and nothing in them changes."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.manifests import split

HELMS = re.compile(r"(?:^|\s*\n)---\s*")


def helms_own(text: str) -> list[str]:
    """Helm 4's ``SplitManifests`` and the line break that it writes after each document, word for word."""
    pieces = HELMS.split(text.lstrip(" \t\n\f\r"))
    return [piece.lstrip(" \t\n\f\r") + "\n" for piece in pieces if piece.strip(" \t\n\f\r")]


@given(
    st.lists(st.sampled_from(["---", "--- ", "---# c", "a: 1", " b: 2", "\n", "\n\n", "  ", "- x\n", "----", "x ---"]))
)
def test_rendered_text_is_split_where_helm_splits_it(parts: list[str]) -> None:
    text = "".join(parts)
    texts = [document.text for document in split.rendered(text)]
    assert texts == [
        piece
        for piece in helms_own(text)
        if not all(line[:1] in ("", "#") for line in map(str.strip, piece.split("\n")))
    ]


def test_comments_alone_are_not_a_document() -> None:
    assert not list(split.rendered("# Source: x\n\n# nothing\n---\n  # more\n"))
    assert [document.text for document in split.written("# why\na: 1\n")] == ["# why\na: 1\n"]


def test_hyphens_before_a_comment_separate_documents() -> None:
    documents = list(split.rendered("a: 1\n---# Permission to do\nb: 2\n"))
    assert [document.text for document in documents] == ["a: 1\n", "# Permission to do\nb: 2\n\n"]


def test_hyphens_inside_of_a_block_are_kept() -> None:
    text = "data:\n  key: |\n    -----BEGIN KEY-----\n    ---\n    x\n"
    assert [document.text for document in split.written(text)] == [text]


def test_every_document_knows_its_line() -> None:
    text = "\n\n# head\na: 1\n\n---\n\n\nb: 2\n---\nc: 3\n"
    assert [(document.line, document.text.strip()) for document in split.rendered(text)] == [
        (3, "# head\na: 1"),
        (9, "b: 2"),
        (11, "c: 3"),
    ]
    assert [document.line for document in split.written(text)] == [3, 9, 11]


def test_a_written_file_keeps_every_character() -> None:
    text = "\ufeffa: |+\n  x\n\n---\nb: |\n  y  \n"
    assert [document.text for document in split.written(text)] == ["a: |+\n  x\n\n", "b: |\n  y  \n"]


def test_windows_line_ends_separate_documents() -> None:
    assert [document.text for document in split.rendered("a: 1\r\n---\r\nb: 2\r\n")] == ["a: 1\n", "b: 2\r\n\n"]


def test_millions_of_blank_lines_are_skipped() -> None:
    (document,) = split.written(" \t\n" * 2_000_000 + "  a: 1\n")
    assert (document.text, document.line) == ("  a: 1\n", 2_000_001)
