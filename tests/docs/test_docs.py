"""The pages match the program: their generated parts are current, and their examples print what is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests import shared_store

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
GUIDES = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in [PROJECT / "README.md", DOCS / "components-of-your-own.md", *(DOCS / "guides").glob("*.md")]
)


def script(name: str, *arguments: str) -> None:
    finished = subprocess.run(
        [sys.executable, PROJECT / "tools" / name, *arguments],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if finished.returncode:
        pytest.fail(finished.stdout, pytrace=False)


def test_the_generated_parts_are_current() -> None:
    script("docs_generated.py", "--check")


def test_the_pages_of_the_catalog_are_current() -> None:
    script("catalog_pages.py", "--check")


@pytest.mark.parametrize("page", ["docs/getting-started.md", "docs/how-it-works.md", "docs/commands.md"])
def test_page_shows_what_its_commands_print(page: str) -> None:
    script("docs_examples.py", str(PROJECT / page))


@pytest.mark.parametrize("page", GUIDES)
def test_guide_shows_what_its_commands_print(corpus: Path, page: str) -> None:
    sources = ("--mirror", str(corpus / "mirror"), "--cache", str(shared_store.path()))
    script("docs_examples.py", *sources, str(PROJECT / page))


def test_every_guide_is_in_the_index_and_in_the_navigation() -> None:
    pages = {path.name for path in (DOCS / "guides").glob("*.md")} - {"index.md"}
    index = (DOCS / "guides" / "index.md").read_text(encoding="utf-8")
    navigation = (PROJECT / "zensical.toml").read_text(encoding="utf-8")
    assert {page for page in pages if f"({page})" not in index} == set()
    assert {page for page in pages if f'"guides/{page}"' not in navigation} == set()


def test_what_is_said_to_be_tried_on_the_test_cluster_is_a_test_there() -> None:
    """The matrix of engines, sources and modes names tests; one that is renamed or removed is not tried any more."""
    table = [line for line in (DOCS / "adr/0036-the-test-cluster.md").read_text().splitlines() if line.startswith("| ")]
    named = {name for line in table for name in re.findall(r"`(test_\w+)`", line)}
    files = [path.read_text(encoding="utf-8") for path in (PROJECT / "tests/e2e").glob("test_*.py")]
    there = {name for text in files for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}
    assert named, "the matrix has gone"
    assert named - there == set()


def test_every_decision_is_in_the_index_and_in_the_navigation() -> None:
    pages = {path.name for path in (DOCS / "adr").glob("[0-9]*.md")}
    index = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    navigation = (PROJECT / "zensical.toml").read_text(encoding="utf-8")
    assert {page for page in pages if f"({page})" not in index} == set()
    assert {page for page in pages if f'"adr/{page}"' not in navigation} == set()
