"""The page about common mistakes shows the real messages: a test makes each of its mistakes.

``--update-golden`` writes the messages into the page.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.docs.mistakes import MISTAKES, Mistake, addresses, chart

from cluster_forge.cli.app import run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mistakes.md"
WORKSPACE = "/home/you/platform"
"""How the page calls the workspace."""


def rows() -> dict[str, str]:
    """The message that each row of the page shows, by what was done wrong."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and "`" in line:
            title, message, _ = (cell.strip() for cell in line.strip("|").split(" | "))
            lines = re.findall(r"(?:^|<br>)(`+) ?(.*?) ?\1(?=<br>|$)", message)
            found[title] = "\n".join(text for _, text in lines)
    return found


def renewed(page: str, title: str, message: str) -> str:
    """The page with another message in the row."""
    padded = (f" {line} " if line.startswith("`") or line.endswith("`") else line for line in message.splitlines())
    spans = (f"``{line}``" if "`" in line else f"`{line}`" for line in padded)
    row = re.compile(rf"^\| {re.escape(title)} \| .* \| (.*) \|$", re.MULTILINE)
    return row.sub(lambda match: f"| {title} | {'<br>'.join(spans)} | {match[1]} |", page)


def masked(text: str) -> str:
    """The text without its numbers (lines move when the starter changes, ports are chosen freely) and its layout."""
    return re.sub(r"\d+", "#", "\n".join(line.strip() for line in text.splitlines() if line.strip()))


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starter")
    assert run(["-C", str(folder), "init", "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def named() -> Iterator[dict[str, str]]:
    with addresses() as found:
        yield found


@pytest.fixture
def workspace(starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The starter stack in a new folder, which is the current one; no proxy, and a store of one's own."""
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith("CLUSTER_FORGE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copytree(starter / "input", tmp_path / "platform" / "input")
    monkeypatch.chdir(tmp_path / "platform")
    return tmp_path / "platform"


def edited(workspace: Path, before: str, after: str) -> None:
    file = workspace / "input" / "config.yaml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


def files_of(workspace: Path) -> list[Path]:
    """Everything in the workspace but the program's own notes."""
    return sorted(path for path in workspace.rglob("*") if ".cluster-forge" not in path.parts)


def filled(text: str, named: dict[str, str]) -> str:
    for name, address in named.items():
        text = text.replace(f"{{{name}}}", address)
    return text


@pytest.fixture
def provoke(
    workspace: Path, named: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Mistake], str]:
    """A function that makes a mistake and gives the message, with addresses as the page has them."""

    def message(mistake: Mistake) -> str:
        for before, after in mistake.edits:
            edited(workspace, before, filled(after, named))
        for path, text in mistake.files.items():
            file = workspace / "input" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(filled(text, named), encoding="utf-8")
        for name, text in mistake.environment.items():
            monkeypatch.setenv(name, filled(text, named))
        there = files_of(workspace)
        assert run(list(mistake.typed))
        assert files_of(workspace) == there, "a mistake leaves everything as it was"
        text = capsys.readouterr().err.replace(os.path.realpath(workspace), WORKSPACE)
        text = text.replace(named["plain"], "127.0.0.1:8080").replace(named["closed"], "127.0.0.1:3128")
        lines = (line.strip() for line in text.splitlines() if not re.match(r"(mine|render|smelt|cast) ", line))
        return "\n".join(filter(None, lines))

    return message


def test_every_row_is_tried() -> None:
    assert list(rows()) == list(MISTAKES)


@pytest.mark.parametrize("title", MISTAKES)
def test_the_message_is_the_one_that_the_page_shows(
    title: str, provoke: Callable[[Mistake], str], request: pytest.FixtureRequest
) -> None:
    message = provoke(MISTAKES[title])
    assert "secret" not in message
    if request.config.getoption("--update-golden") and masked(message) != masked(rows()[title]):
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), title, message), encoding="utf-8")
    assert masked(message) == masked(rows()[title])


def test_without_a_version_the_newest_stable_one_is_taken(workspace: Path, named: dict[str, str]) -> None:
    for before, after in chart("{server}/good", version=""):
        edited(workspace, before, filled(after, named))
    assert run(["mine", "--quiet"]) == 0
    assert "1.10.0" in (workspace / "cluster-forge.lock").read_text(encoding="utf-8")
    assert "takes the newest version that is not a pre-release" in PAGE.read_text(encoding="utf-8")
