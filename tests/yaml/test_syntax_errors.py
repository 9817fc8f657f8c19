from __future__ import annotations

import pytest

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.yaml import positioned_reader


@pytest.mark.parametrize(
    ("text", "line", "message", "fix"),
    [
        ("a:\n\tb: 1", 2, "a tab where YAML allows only spaces", "spaces"),
        ("a: |\n x\n\ty\n", 3, "a tab where YAML allows only spaces", "spaces"),
        ("a: @x", 1, "a value cannot start with '@'", "quotes"),
        ("a: %x", 1, "a value cannot start with '%'", "quotes"),
        ("a: b: c", 1, "a ':' where no key is allowed", "quotes"),
        ("a: 1\n b: 2\n", 2, "a ':' where no key is allowed", "neighbors"),
        ("x: 1\nfoo\nbar: 2", 3, "the text that starts in line 2 is neither a key nor part of a value", "':'"),
        ("a: 'x\nb: 1\n", 1, "the quote opened in line 1 is not closed", "close it"),
        ('a: "\\q"', 1, "an unknown escape", "\\\\"),
        ("a: [1, 2\nb: 3", 2, "the '[' in line 1 is not closed", "]"),
        ("{a: 1", 1, "the '{' in line 1 is not closed", "}"),
        ("a:\n  - 1\n - 2\n", 3, "this line does not fit into the mapping that starts in line 1", "alike"),
        ("- a\nb: 1", 2, "this line is not an item of the list that starts in line 1", "'- '"),
        ("a: - b", 1, "a '-' where no list is allowed", "its own lines"),
        ("a: 'it's'", 1, '"s\'" after the end of a value', "quotes"),
        ("a: *\n", 1, "'*' and '&' start an alias or an anchor", "quotes"),
        ("%FOO\na: 1", 1, "a line that starts with '%' is a YAML directive", "quotes"),
        ("a: 1\n  b\x01: 1", 2, "character not allowed in YAML: U+0001", "escape"),
        (
            "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> other\n",
            2,
            "the file has an unresolved merge conflict",
            "resolve",
        ),
    ],
)
def test_syntax_errors_have_a_plain_message_and_a_fix(text: str, line: int, message: str, fix: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        positioned_reader.read(text.encode(), "f.yaml")
    assert caught.value.message.startswith(message)
    assert caught.value.where == f"f.yaml:{line}"
    assert caught.value.fix is not None
    assert fix in caught.value.fix


@pytest.mark.parametrize("text", ["a: !<x\n", "--- a\n b: c\n...\nx\n", "a: !!\n", "%YAML 3.0\n---\na: 1"])
def test_errors_without_a_rule_still_have_a_message(text: str) -> None:
    with pytest.raises(DescriptionError, match=r"."):
        positioned_reader.read(text.encode(), "f.yaml")
