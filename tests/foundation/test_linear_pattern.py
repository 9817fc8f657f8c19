"""Patterns that match in linear time: as Python's own, without its worst cases."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.linear_pattern import LinearPattern, escaped

ATOMS = st.sampled_from(["a", "b", "-", r"\.", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"[\d-]", "^", "$"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,2}", "{1,}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(PATTERNS, st.text("ab-.1\n", max_size=8))
def test_it_matches_what_python_matches(pattern: str, text: str) -> None:
    # Python's `$` also holds before a last line break, RE2's does not.
    assert LinearPattern.parse(pattern).matches(text) == bool(re.fullmatch(pattern.replace("$", r"\Z"), text))


@given(st.text(max_size=40))
def test_an_escaped_text_matches_itself_alone(text: str) -> None:
    pattern = LinearPattern.parse(escaped(text))
    assert pattern.matches(text)
    assert not pattern.matches(text + "x")


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*)*b", "a{0,50}a{0,50}a{0,50}b", "(a|b)*a(a|b){80}b"]
)
def test_no_pattern_takes_long(pattern: str) -> None:
    start = time.process_time()
    assert not LinearPattern.parse(pattern).matches("a" * 253)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(web", "`(` without its `)`"),
        ("web)", "`)` without its `(`"),
        ("[a-", "it ends too early"),
        ("*", "nothing to repeat"),
        ("a**", "a repetition of a repetition"),
        ("a{2,1}", "ends before it begins"),
        ("a{x}", "begins a repetition"),
        ("(?=a)", "nothing that looks ahead"),
        (r"\1", "is not known"),
        ("[[:alpha:]]", "is not known"),
        ("[z-a]", "ends before it begins"),
        ("a{999}", "too large"),
        ("(((){999}){999}){999}", "too large"),
        ("a" * 300, "longer than 256"),
        ("(" * 30 + ")" * 30, "groups in each other"),
        ("\\", "it ends too early"),
    ],
)
def test_a_pattern_that_is_none_says_why(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        LinearPattern.parse(pattern)
