"""Numbers with nouns: "1 object", never "1 objects"; one function counts, in messages, pages and golden files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_forge.foundation.names import counted

PROJECT = Path(__file__).parents[2]
NOUNS = [
    "application",
    "chart",
    "collection",
    "component",
    "container",
    "day",
    "difference",
    "document",
    "entry",
    "error",
    "file",
    "finding",
    "folder",
    "hook",
    "image",
    "job",
    "layer",
    "line",
    "namespace",
    "node",
    "notice",
    "object",
    "pod",
    "release",
    "replica",
    "revision",
    "secret",
    "source",
    "stack",
    "step",
    "test",
    "value",
    "version",
    "warning",
    "wave",
]
PLURALS = [counted(2, noun).removeprefix("2 ") for noun in NOUNS]
_ONE = re.compile(rf"(?<![\w.,:/-])1 (?:[a-z]+ )?(?:{'|'.join(PLURALS)})\b(?!-)", re.IGNORECASE)
_BEGINS_WITH_PLURAL = re.compile(rf" (?:more |other |own )?(?:{'|'.join(PLURALS)})\b")


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "object", "1 object"),
        (0, "object", "0 objects"),
        (2, "entry", "2 entries"),
        (1234, "file", "1,234 files"),
        (2, "day", "2 days"),
    ],
)
def test_counted(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text


def test_the_patterns_find_what_they_are_for() -> None:
    for wrong in ("(1 objects)", "1 findings", "1 files", "wave 3: 1 old replicas", "1 entries"):
        assert _ONE.search(wrong), wrong
    for right in (
        "(1 object)",
        "21 objects",
        "1.1 objects",
        "v1 objects",
        "2,001 files",
        "1 of 1 file",
    ):
        assert not _ONE.search(right), right
    assert list(uncounted('f"{len(files)} files in {folder}"')) == [1]
    assert list(uncounted("f\"{counted(len(files), 'file')} in {folder} files\"")) == []


def shown_texts() -> Iterator[Path]:
    """What users see: pages, and what commands printed for golden files."""
    for folder, patterns in (("docs", ("*.md",)), ("tests/golden", ("*.txt", "*.md", "*.json")), (".", ("README.md",))):
        for pattern in patterns:
            top = PROJECT / folder
            yield from top.glob(pattern) if folder == "." else top.rglob(pattern)


def test_outputs_in_pages_and_golden_files_are_counted() -> None:
    texts = [path for path in shown_texts() if "CHANGELOG" not in path.name]
    assert len(texts) > 20
    wrong = [
        f"{path.relative_to(PROJECT)}:{number}: {match[0]}"
        for path in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in _ONE.finditer(line)
    ]
    assert wrong == []


def uncounted(source: str) -> Iterator[int]:
    """The lines of f-strings that write a plural behind a number that `counted` did not format."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            for before, after in zip(node.values, node.values[1:], strict=False):
                if not isinstance(before, ast.FormattedValue) or not isinstance(after, ast.Constant):
                    continue
                if _BEGINS_WITH_PLURAL.match(str(after.value)) and _is_number(before.value):
                    yield node.lineno


def _is_number(value: ast.expr) -> bool:
    """Whether an expression looks like a count: ``len(…)``, a difference, a name like ``number``."""
    text = ast.unparse(value)
    is_call = isinstance(value, ast.Call) and text.startswith(("len(", "sum(", "round("))
    words = ("number", "count", "total", "size", "entries", "wanted", "expected", "amount")
    is_name = isinstance(value, ast.Name | ast.Attribute) and text.rpartition(".")[2] in words
    return is_call or is_name or isinstance(value, ast.BinOp)


def test_messages_count_with_the_one_function() -> None:
    wrong = []
    for path in sorted((PROJECT / "src").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        wrong += [f"{path.relative_to(PROJECT)}:{line}" for line in uncounted(source)]
    assert wrong == []


def test_the_deploy_script_counts_with_its_function() -> None:
    plural = re.compile(rf"\$\{{?\w+\}}? (?:{'|'.join(PLURALS)})\b")
    scripts = sorted((PROJECT / "src/cluster_forge/gitops/scripts").glob("*.sh"))
    assert scripts
    wrong = [
        f"{path.name}:{number}: {match[0]}"
        for path in scripts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if not line.lstrip().startswith("#")
        for match in plural.finditer(line)
    ]
    assert wrong == []
