"""What a text refers to, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.stack.variables import references
from cluster_forge.stack.variables.references import Expression, Reference, ReferenceSyntaxError, pieces

MARKED = st.lists(st.sampled_from(["$", "{", "}", "a", '"', "'", "\\", "${", "$${", "}}", "${{", "r", "\n", " "])).map(
    "".join
)


def test_a_text_is_taken_apart_at_its_references() -> None:
    assert pieces("a${b}c${ d }${{ e }}") == (
        "a",
        Reference(name="b", offset=1),
        "c",
        Reference(name="d", offset=6),
        Expression(source=" e ", offset=15),
    )


@pytest.mark.parametrize("text", ["", "a", "$", "$$", "{}", "$(HOME)", "$HOME", "}}", "{{ .Values.x }}", "$ {a}"])
def test_other_dollars_and_braces_are_text(text: str) -> None:
    assert "".join(map(str, pieces(text))) == text


@pytest.mark.parametrize(
    ("text", "plain"), [("$${a}", "${a}"), ("$$${a}", "$${a}"), ("x$${{ a }}", "x${{ a }}"), ("$${", "${")]
)
def test_two_dollars_stand_for_one(text: str, plain: str) -> None:
    assert pieces(text) == (plain,)


@pytest.mark.parametrize(
    "source",
    [
        ' {"a": {"b": 1}}.a.b ',
        " '}}' ",
        " \"}}\" + '}}' ",
        r' "\"}}" ',
        r" r'\' ",
        ' """}}"}} ""x""" ',
        " {} ",
    ],
)
def test_an_expression_ends_after_its_strings_and_mappings(source: str) -> None:
    assert pieces(f"${{{{{source}}}}}!") == (Expression(source=source, offset=3), "!")


@pytest.mark.parametrize("text", ["${", "${}", "${a-b}", "${1}", "${HOME:-x}", "${x##*/}", "${{ a", "${{ a }"])
def test_anything_else_after_the_mark_is_an_error(text: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        pieces(f"ab {text}")
    assert caught.value.offset == 3
    assert caught.value.shown.startswith("${")


@given(st.text() | MARKED)
def test_an_escaped_text_is_the_text(text: str) -> None:
    assert "".join(map(str, pieces(references.escaped(text)))) == text


@given(MARKED)
def test_every_text_has_pieces_or_one_error(text: str) -> None:
    offset = None
    try:
        found = pieces(text)
    except ReferenceSyntaxError as error:
        found, offset = (), error.offset
    assert all(found), "no piece is empty"
    assert offset is None or text.startswith("${", offset)
