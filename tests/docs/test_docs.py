"""The pages say what the program does: their generated parts are current, and their examples run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
# Where a finding's code stands in the sources: as an argument, or as a module's own constant.
CODE = re.compile(r'\b(?:code=|CODE = |_notice\()"([a-z-]+)"')


def script(name: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, PROJECT / "tools" / name, *arguments],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        pytest.fail(done.stdout, pytrace=False)


def test_the_generated_parts_are_current() -> None:
    script("docs_generated.py", "--check")


def test_the_pages_of_the_catalog_are_current() -> None:
    script("catalog_pages.py", "--check")


@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md", "docs/how-it-works.md", "docs/commands.md"])
def test_the_examples_run(page: str) -> None:
    script("docs_examples.py", str(PROJECT / page))


def test_the_guides_run(corpus: Path) -> None:
    guides = [str(DOCS / "components-of-your-own.md"), *sorted(map(str, (DOCS / "guides").glob("*.md")))]
    script("docs_examples.py", "--mirror", str(corpus / "mirror"), *guides)


def test_every_guide_is_in_the_index_and_in_the_navigation() -> None:
    pages = {path.name for path in (DOCS / "guides").glob("*.md")} - {"index.md"}
    index = (DOCS / "guides" / "index.md").read_text(encoding="utf-8")
    navigation = (PROJECT / "zensical.toml").read_text(encoding="utf-8")
    assert {page for page in pages if f"({page})" not in index} == set()
    assert {page for page in pages if f'"guides/{page}"' not in navigation} == set()


def test_every_finding_has_its_place_in_the_page_about_errors() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (PROJECT / "src").rglob("*.py"))
    emitted = {code for text in sources for code in CODE.findall(text)}
    described = set(re.findall(r"^### `([a-z-]+)`$", (DOCS / "errors.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert emitted == described


def test_every_decision_is_in_the_index_and_in_the_navigation() -> None:
    pages = {path.name for path in (DOCS / "adr").glob("[0-9]*.md")}
    index = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    navigation = (PROJECT / "zensical.toml").read_text(encoding="utf-8")
    assert {page for page in pages if f"({page})" not in index} == set()
    assert {page for page in pages if f'"adr/{page}"' not in navigation} == set()
