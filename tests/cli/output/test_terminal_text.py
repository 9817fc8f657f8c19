"""Text that is shown: whatever others wrote, a terminal gets no sequence that is not ours."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.conftest import CHART, PROGRAM, Workspace
from tests.cli.terminal import Terminal

import cluster_forge
from cluster_forge.cli.output import changes_text, error_text
from cluster_forge.cli.output.terminal_text import Styled, one_line, printable, shown, styled
from cluster_forge.foundation.errors import FetchError
from cluster_forge.manifests.comparison.fields import Change
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stages.build.cast_diff import Difference

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTILE = {
    "title": "\x1b]0;owned\x07",
    "colors": "\x1b[8mhidden",
    "C1": "\x9b2J\x9d0;x\x9c",
    "carriage return": "good\rbad",
    "backspace": "abc\b\b\bxyz",
    "direction": "\u202egnp.exe\u2066",
    "line separators": "a\u2028b\u2029c\x0b\x0c\x85d",
    "invisible": "a\u200bb\ufeffc\U000e0041d",
    "delete": "\x7f",
    "half a character": "\udcff",
}
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066\ufeff\ud800-\udfff\U000e0041]")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_unsafe_characters_are_shown_as_json_writes_them(text: str) -> None:
    safe = printable(f"<{text}>")
    assert not UNSAFE.search(safe)
    quoted = safe.replace('"', '\\"')
    assert json.loads(f'"{quoted}"') == f"<{text}>"
    assert "\n" not in one_line(f"a\n{text}\nb")


def test_other_characters_stay() -> None:
    text = "a\tb\nc äß €, 日本 👩‍🚒 \N{NO-BREAK SPACE}…"
    assert printable(text) == text
    assert printable("a\r\nb") == "a\nb"


@given(st.text())
def test_safe_text_is_not_changed_again(text: str) -> None:
    assert shown(str(shown(text))) == shown(text)
    assert not UNSAFE.search(shown(text))


def test_only_our_own_colors_stay() -> None:
    text = styled(("error\x1b[0m", {"fg": "red"}), ": https://me:canary@a.example/\x1b[2J")
    assert text == f"{click.style('error' + chr(92) + 'u001b[0m', fg='red')}: https://a.example/\\u001b[2J"
    assert shown(text) is text
    assert isinstance(text, Styled)
    assert "\x1b" not in shown(f"{text}"), "a text that was put together again is foreign"


def test_errors_findings_and_differences_are_safe_and_cannot_be_forged() -> None:
    evil = "\x1b]0;x\x07 https://me:canary@a.example/?canary\nerror: forged\n  fix: run this"
    texts: Sequence[str] = [
        error_text.text(FetchError(evil, where=evil, fix=evil)),
        error_text.finding_text(Finding(code="stale", severity=Severity.ERROR, message=evil, where=evil, fix=evil)),
        *changes_text.file_lines(Difference(path=evil, change=Change.ADDED, lines=())),
        *changes_text.file_lines(Difference(path="a", change=Change.CHANGED, lines=("+\x1b[2J", "@@ \x07"))),
    ]
    for text in texts:
        assert "\x1b]" not in text
        assert "\x07" not in text
        assert "\x1b[2J" not in text
        assert "canary" not in text
    for text in texts[:2]:
        lines = click.unstyle(text).splitlines()
        assert sum(line.startswith("error") for line in lines) == 1
        assert sum(line.startswith("  fix: ") for line in lines) == 1


def test_nothing_but_streams_writes_to_the_terminal() -> None:
    """Completion writes for a shell, the live display and the prompts draw: these make their texts safe themselves."""
    root = Path(cluster_forge.__file__).parent
    files = {"adapters/disk/user_secret.py", "adapters/plugins/consent.py"}  # os.write into files that they opened
    allowed = {"cli/output/streams.py", "cli/completion/candidates.py", "cli/progress/live_display.py"}
    writers = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "print",
                "click.echo",
                "click.secho",
                "os.write",
                "sys.stdout.write",
                "sys.stderr.write",
            ):
                writers.add(path.relative_to(root).as_posix())
    assert writers - allowed - files == STATIC


STATIC = {"cli/commands/help.py", "cli/commands/completion.py"}
"""They print texts of the program itself."""


STAGES = """\
import time
from cluster_forge.cli.progress import console
evil = "\\x1b[2Jname\\x07\\u202e https://me:canary@a.example/?canary"
with console.reporting(("mine",), verbosity=2, color=None, began=time.monotonic()) as reporter:
    reporter.stage_started("mine", 2)
    for name in (evil, f"{evil}\\nsecond"):
        reporter.item_started("mine", name)
        time.sleep(0.8)
        reporter.item_finished("mine", name, evil)
    reporter.stage_finished("mine", evil)
"""


def test_live_display_shows_hostile_names() -> None:
    with Terminal(sys.executable, "-c", STAGES, columns=120) as terminal:
        terminal.end()
        assert any("total" in line for state in terminal.states for line in state), "the display was not drawn"
        shown = re.sub(r"\x1b\[\d*(;\d+)*m|\x1b\[\d*[AKJ]|[\r\n]", "", terminal.text)
    assert "\x1b[2J" not in terminal.text
    assert not UNSAFE.search(shown)
    assert "canary" not in shown


@pytest.fixture
def hostile(workspace: Workspace) -> Workspace:
    """A workspace in which everything that can be named is hostile."""
    evil = r"\e]0;owned\a\e[2J\u202e\u009b2J"
    workspace.replace("input/config.yaml", "values: {replicas: 2}", f'values: {{evil: "{evil}"}}')
    workspace.write({"input/charts/web/templates/fail.yaml": "{{ fail .Values.evil }}"})
    workspace.write({"input/extras/\x1b]0;owned\x07.yaml": "a: [\x07"})
    assert CHART
    return workspace


COMMANDS = [
    ("forge",),
    ("forge", "\x1b]0;owned\x07"),
    ("forge", "--\x1b]0;owned\x07"),
    ("\x1b[2J\x07",),
    ("forge", "--jobs", "\x1b[2J\x07"),
    ("forge", "--mirror", "https://me:canary@a.example/\x1b[2J\x07?sig=canary"),
    ("config", "show"),
    ("config", "show", "--format", "json"),
    ("forge", "--format", "json"),
    ("secrets", "list"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command).encode("unicode_escape").decode())
def test_hostile_names_do_not_reach_a_pipe(hostile: Workspace, command: Sequence[str]) -> None:
    result = hostile.program(*command, LC_ALL="C.UTF-8")
    for text in (result.out, result.err):
        assert not UNSAFE.search(text)
        assert "canary" not in text
    if "json" in command:
        json.loads(result.out)


@pytest.mark.parametrize(
    "command",
    [COMMANDS[0], COMMANDS[2], COMMANDS[3], COMMANDS[5], COMMANDS[6]],
    ids=["forge", "option", "verb", "mirror", "config"],
)
def test_hostile_names_do_not_reach_a_terminal(hostile: Workspace, command: Sequence[str]) -> None:
    with Terminal(PROGRAM, *command, "--yes" if command[0] == "forge" else "-q", cwd=hostile.folder) as terminal:
        terminal.end()
        ours = re.sub(r"\x1b\[\d*(;\d+)*m|\x1b\[\d*[AKJ]|[\r\n]", "", terminal.text)
    assert "\x1b[2J" not in terminal.text
    assert not UNSAFE.search(ours)
    assert "canary" not in terminal.text
