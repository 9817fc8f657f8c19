"""What `tools/docs_examples.py` takes for a true example."""

from __future__ import annotations

import pytest
from tools.docs_examples import GAP, differences

PRINTED = "render  1/2  web\nrender  2/2  db\n\nsmelt  3 objects\nnext: cast\n"


@pytest.mark.parametrize(
    "shown",
    [
        [],
        [GAP],
        ["render  1/2  web", "render  2/2  db", "smelt  3 objects", "next: cast"],
        ["render  7/9  web", "render  2/2  db", "smelt  12 objects", "next: cast"],
        [GAP, "smelt  3 objects", GAP],
        [GAP, "smelt …", "next: cast"],
        ["render  1/2  web", GAP, "next: cast", GAP],
    ],
)
def test_what_is_shown_is_printed(shown: list[str]) -> None:
    assert list(differences(shown, PRINTED)) == []


@pytest.mark.parametrize(
    ("shown", "problem"),
    [
        (["smelt  3 objects", "next: cast"], "prints 'render  #/#  web' before: smelt  3 objects"),
        ([GAP, "smelt  3 objects"], "prints at the end: next: cast"),
        (["render  1/2  web", "smelt  3 objects", GAP], "prints 'render  #/#  db' before: smelt  3 objects"),
        ([GAP, "next: cast", "smelt  3 objects"], "prints before: smelt  3 objects"),
        ([GAP, "smelt  3 files", GAP], "does not print: smelt  3 files"),
    ],
)
def test_what_is_left_out_or_not_printed_is_a_problem(shown: list[str], problem: str) -> None:
    assert list(differences(shown, PRINTED)) == [problem]
