from __future__ import annotations

import pytest

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.yaml import positioned_reader


@pytest.mark.parametrize(
    ("text", "line", "message", "fix"),
    [
        ("a:\n\tb: 1", 2, "a tab stands where YAML allows only spaces", "spaces"),
        ("a: |\n x\n\ty\n", 3, "a tab stands where YAML allows only spaces", "spaces"),
        ("a: @x", 1, "a value cannot begin with '@'", "quotes"),
        ("a: %x", 1, "a value cannot begin with '%'", "quotes"),
        ("a: b: c", 1, "a ':' stands where no key can stand", "quotes"),
        ("a: 1\n b: 2\n", 2, "a ':' stands where no key can stand", "align"),
        ("x: 1\nfoo\nbar: 2", 3, "the text that begins in line 2 is neither a key nor part of a value", "':'"),
        ("a: 'x\nb: 1\n", 1, "the quote that is opened in line 1 is never closed", "close it"),
        ('a: "\\q"', 1, "an unknown escape", "\\\\"),
        ("a: [1, 2\nb: 3", 2, "the '[' in line 1 is not closed", "]"),
        ("{a: 1", 1, "the '{' in line 1 is not closed", "}"),
        ("a:\n  - 1\n - 2\n", 3, "this line does not fit into the mapping that begins in line 1", "alike"),
        ("- a\nb: 1", 2, "this line is no item of the list that begins in line 1", "'- '"),
        ("a: - b", 1, "a '-' stands where no list can begin", "lines of its own"),
        ("a: 'it's'", 1, '"s\'" stands after the end of a value', "quotes"),
        ("a: *\n", 1, "'*' and '&' begin the name of an alias or an anchor", "quotes"),
        ("%FOO\na: 1", 1, "a line that begins with '%' is a directive", "quotes"),
        ("a: 1\n  b\x01: 1", 2, "a character that YAML does not allow (U+0001)", "escape"),
        (
            "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> other\n",
            2,
            "a merge conflict was left in the file",
            "decide",
        ),
    ],
)
def test_errors_are_said_in_plain_words(text: str, line: int, message: str, fix: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        positioned_reader.read(text.encode(), "f.yaml")
    assert caught.value.message.startswith(message)
    assert caught.value.where == f"f.yaml:{line}"
    assert caught.value.fix is not None
    assert fix in caught.value.fix


@pytest.mark.parametrize("text", ["a: !<x\n", "--- a\n b: c\n...\nx\n", "a: !!\n", "%YAML 3.0\n---\na: 1"])
def test_whatever_has_no_rule_of_its_own_still_has_a_place(text: str) -> None:
    with pytest.raises(DescriptionError, match=r"."):
        positioned_reader.read(text.encode(), "f.yaml")
