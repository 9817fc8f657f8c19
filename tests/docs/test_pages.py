"""The form of every page: heads of tables, pipes in code, links, the width of diagrams, and the trees of files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tools import docs_trees

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
WIDTH = 34
"""Columns of code that a page of 320 pixels shows in one line."""

_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_YAML = re.compile(r"^```ya?ml[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def prose(page: Path) -> str:
    """The text without blocks of code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def name(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


def tables(page: Path) -> Iterator[list[str]]:
    """The rows of each table; the second one is the line below the head."""
    table: list[str] = []
    for line in [*prose(page).splitlines(), ""]:
        if line.lstrip().startswith("|"):
            table.append(line.strip())
        elif table:
            yield table
            table = []


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def slugs(page: Path) -> set[str]:
    """The anchors of the headings, of those that have the same one on the site, which joins hyphens, and where the source is
    read, which keeps them.
    """
    texts = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in _HEADING.findall(prose(page))]
    slugs = (re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text).strip().lower()) for text in texts)
    return {slug for slug in slugs if "--" not in slug}


def test_tables_have_heads_and_whole_rows() -> None:
    broken = []
    for page in PAGES:
        for head, line, *rows in tables(page):
            assert re.fullmatch(r"\|(:?-+:?\|)+", line.replace(" ", "")), f"{name(page)}: no head above {head}"
            broken += [f"{name(page)}: {head}"] if not all(cells(head)) else []
            broken += [f"{name(page)}: {row}" for row in rows if len(cells(row)) != len(cells(head))]
    assert broken == []


def test_code_in_tables_has_no_pipe() -> None:
    """A pipe there must be escaped, and not every renderer removes the backslash: the site shows it."""
    found = [
        f"{name(page)}: {row}"
        for page in PAGES
        for table in tables(page)
        for row in table
        if any("\\|" in span for span in re.findall(r"`[^`]*`", row))
    ]
    assert found == []


def test_links_between_pages_resolve() -> None:
    broken = []
    for page in PAGES:
        for target in _LINK.findall(prose(page)):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (anchor and file.suffix == ".md" and anchor not in slugs(file)):
                broken.append(f"{name(page)}: {target}")
    assert broken == []


def test_diagrams_are_whole_on_a_narrow_page() -> None:
    """Other code continues on the next line there (``stylesheets/code.css``), which would break a diagram."""
    wide = [
        f"{name(page)}: {line}"
        for page in PAGES
        if page.is_relative_to(PROJECT / "docs")
        for block in _FENCE.findall(page.read_text(encoding="utf-8"))
        if re.search("[\u2500-\u257f\u25b2-\u25c5]", block)  # lines of boxes, and arrow heads
        for line in block.splitlines()[1:-1]
        if len(line) > WIDTH
    ]
    assert wide == []


def test_code_is_never_cut_off() -> None:
    settings = tomllib.loads((PROJECT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    styles = "".join((PROJECT / "docs" / file).read_text(encoding="utf-8") for file in settings["extra_css"])
    assert re.search(r"\.md-typeset pre > code \{[^}]*white-space: pre-wrap;", styles)


class TestTree:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "a" / "b" / "c.txt").write_text("")
        (tmp_path / "a" / ".hidden").write_text("")
        (tmp_path / "d.txt").write_text("")
        return tmp_path

    @pytest.mark.parametrize(
        "tree",
        [
            ".\n├── a/    remark\n└── d.txt",
            ".\n├── a/b/\n│   └── c.txt    remark\n└── d.txt",
            ".\n├── a/\n│   └── b/\n│       └── c.txt\n└── d.txt",
            ".\n└── …",
        ],
    )
    def test_it_is_what_is_there(self, folder: Path, tree: str) -> None:
        assert list(docs_trees.problems(tree, folder)) == []

    @pytest.mark.parametrize(
        ("tree", "problem"),
        [
            (".\n└── a/", "not in the tree: d.txt"),
            (".\n├── a/\n├── d.txt\n└── e.txt", "is not there: e.txt"),
            (".\n├── a\n└── d.txt", "is not there: a"),
            (".\n├── a/b/\n│   └── x.txt\n└── d.txt", "not in the tree: a/b/c.txt"),
            (".\n+-- a/", "not a line of a tree: +-- a/"),
        ],
    )
    def test_it_says_what_differs(self, folder: Path, tree: str, problem: str) -> None:
        assert problem in list(docs_trees.problems(tree, folder))


def test_examples_in_yaml_are_yaml() -> None:
    """Those that no test runs, too; templates of charts are not YAML yet."""
    broken = []
    for page in PAGES:
        examples = _YAML.findall(page.read_text(encoding="utf-8"))
        for example in (one for one in examples if "{{" not in one):
            try:
                list(yaml.compose_all(example))
            except yaml.YAMLError as error:
                broken.append(f"{name(page)}: {error}")
    assert broken == []
