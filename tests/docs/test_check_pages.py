"""Each finding has a page, whose example has the finding, and whose mending takes it away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tools.check_pages import PAGES, Page, pages

from cluster_forge.manifests.finding_codes import WHY

PROJECT = Path(__file__).resolve().parents[2]
WITHOUT_EXAMPLE = 8
"""How many pages have no example: findings of `catalog test`, of a cast, of an image that is gone. Never raise it."""


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One store for all pages: charts that several have are rendered once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_an_example_has_the_finding_and_its_mending_has_not(path: Path) -> None:
    assert list(Page(code=path.stem, text=path.read_text(encoding="utf-8")).problems()) == []


def test_every_code_that_is_found_has_a_page_and_every_page_a_code() -> None:
    sources = [
        path
        for path in (PROJECT / "src").rglob("*.py")
        if path.name != "finding_codes.py" and path.parent.name != "preflight"
    ]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    components = (PROJECT / "src/cluster_forge/catalog/data/components").glob("*.yaml")
    catalog = "".join(path.read_text(encoding="utf-8") for path in components)
    emitted = {code for code in WHY if f'"{code}"' in text or f"- code: {code}\n" in catalog}
    assert emitted == {path.stem for path in pages()}


def test_few_pages_are_without_an_example() -> None:
    without = [path.stem for path in pages() if not Page(code="", text=path.read_text(encoding="utf-8")).has_example]
    assert len(without) <= WITHOUT_EXAMPLE, without


def test_a_page_says_first_how_bad_the_finding_is() -> None:
    wrong = []
    for path in pages():
        first = path.read_text(encoding="utf-8").split("\n\n")[1]
        if not re.match(r"\**(An? )?\**(error|warning|notice)", first, re.IGNORECASE):
            wrong.append(f"{path.name}: {first[:40]}")
    assert wrong == []
    assert PAGES.joinpath("index.md").is_file()
