"""The live display in a real pseudo-terminal: how it looks, and what is left of it, whatever ends the run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import PROGRAM
from tests.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cli.conftest import Workspace

# Stages that only wait: their names, their ends and the verbosity are parameters of the test.
STAGES = """\
import sys, time
from cluster_forge.cli.progress import console
how, verbosity = sys.argv[1], int(sys.argv[2])
with console.reporting(("mine", "render"), verbosity=verbosity, color=None, began=time.monotonic()) as reporter:
    reporter.stage_started("mine", 24)
    reporter.stage_started("render", 12)
    for number in range(12):
        name = f"component-with-a-name-as-long-as-they-come-{number}"
        reporter.item_started("mine", name)
        reporter.item_started("mine", "neighbour")
        time.sleep(0.07)
        reporter.item_finished("mine", name, "1.2.3")
        reporter.item_finished("mine", "neighbour", "1.2.3")
    reporter.stage_finished("mine", "12 components with sources")
    for number in range(8):
        reporter.item_started("render", f"component-{number}")
        time.sleep(0.07)
        reporter.item_finished("render", f"component-{number}")
    if how == "fail":
        raise ValueError("the pot is empty")
    reporter.stage_finished("render", "8 components")
print("done")
"""

# A verb that changes a cluster, and waits for it.
DELIVERY = """\
import sys, time
import click
from cluster_forge.cli import app, deployer
from cluster_forge.cli.progress import console
def work():
    with console.reporting(("deploy",), verbosity=1, color=None, began=time.monotonic()) as reporter:
        noted = deployer.Noted(reporter)
        noted.stage_started("deploy", 2)
        noted.item_started("deploy", "web")
        noted.item_finished("deploy", "web")
        noted.item_started("deploy", "db")
        with deployer.going_on("cluster-forge deploy", noted):
            time.sleep(60)
app.cluster_forge = click.Command("deploy", callback=work)
sys.exit(app.run([]))
"""


def stages(
    how: str = "end", *, verbosity: int = 1, columns: int = 80, locale: str = "C.UTF-8", term: str = "xterm"
) -> Terminal:
    return Terminal(sys.executable, "-c", STAGES, how, str(verbosity), columns=columns, LC_ALL=locale, TERM=term)


def is_live(lines: Sequence[str]) -> bool:
    return any(line.startswith("total ") for line in lines)


@pytest.fixture
def slow(workspace: Workspace) -> Workspace:
    """A workspace that was forged, and now has a chart that takes its time: each call of genCA makes an RSA key."""
    workspace.ok("forge")
    return slowed(workspace, keys=12)


def slowed(workspace: Workspace, *, keys: int) -> Workspace:
    text = f'{{{{ range until {keys} }}}}# {{{{ genCA "x" 1 | toString | len }}}}\n{{{{ end }}}}\n'
    return workspace.write({"input/charts/web/templates/slow.yaml": text})


class TestLooks:
    @pytest.mark.parametrize("columns", [20, 40, 80, 200])
    def test_never_wraps_never_flickers_and_leaves_the_summaries(self, columns: int) -> None:
        with stages(columns=columns) as terminal:
            assert terminal.end() == 0
            frames = [state for state in terminal.states if is_live(state)]
            assert len(frames) > 4
            assert max(len(line) for frame in frames for line in frame[-3:] if "components" not in line) < columns
            first = terminal.states.index(frames[0])
            gone = max(index for index, state in enumerate(terminal.states) if is_live(state))
            assert all(is_live(state) for state in terminal.states[first : gone + 1])
            if columns >= 40:
                assert terminal.screen.wraps == 0
                assert terminal.screen.lines == [
                    "mine   12 components with sources",
                    "render 8 components",
                    "done",
                ]

    def test_shows_what_is_being_done_a_bar_for_everything_and_the_time(self) -> None:
        with stages(columns=120) as terminal:
            terminal.until(is_live)
            mine, render, total = terminal.screen.lines
            assert re.fullmatch(r"mine +\d+/24 +━*─+  component-with-a-name-as-long-as-they-come-\d+, neighbour", mine)
            assert re.fullmatch(r"render +0/12 +─+", render)
            assert re.fullmatch(r"total +\d+ % +━*─+  0\.\d s", total)
            assert terminal.end() == 0

    def test_a_terminal_that_shows_only_ascii_gets_ascii(self) -> None:
        with stages(locale="C") as terminal:
            terminal.until(is_live)
            assert terminal.end() == 0
            assert terminal.text.isascii()

    def test_verbose_prints_each_item_above_the_display(self) -> None:
        with stages(verbosity=2, columns=100) as terminal:
            assert terminal.end() == 0
            assert len([line for line in terminal.screen.lines if line.startswith("mine ")]) == 25
            assert not is_live(terminal.screen.lines)

    def test_quiet_shows_nothing(self) -> None:
        with stages(verbosity=0) as terminal:
            assert terminal.end() == 0
            assert terminal.text == "done\r\n"

    def test_a_dumb_terminal_gets_plain_lines(self) -> None:
        with stages(term="dumb", columns=100) as terminal:
            assert terminal.end() == 0
            assert not any(map(is_live, terminal.states))
            assert "mine      1/24  component-with-a-name-as-long-as-they-come-0: 1.2.3" in terminal.screen.lines

    def test_a_short_run_draws_nothing(self, workspace: Workspace) -> None:
        with Terminal(PROGRAM, "cast", "--no-color", cwd=workspace.folder) as terminal:
            assert terminal.end() == 22
            assert "\x1b" not in terminal.text


class TestEnds:
    def test_an_exception_takes_the_display_away(self) -> None:
        with stages("fail", columns=100) as terminal:
            assert terminal.end() == 1
            assert terminal.screen.lines[0] == "mine   12 components with sources"
            assert terminal.screen.lines[1] == "Traceback (most recent call last):"
            assert not is_live(terminal.screen.lines)

    @pytest.mark.parametrize(
        ("stop", "code", "word"),
        [("\x03", 130, "interrupted"), (signal.SIGTERM, 143, "terminated"), (signal.SIGHUP, 129, "terminated")],
    )
    def test_what_stops_a_run_leaves_terminal_and_trees_as_they_were(
        self, slow: Workspace, stop: str | signal.Signals, code: int, word: str
    ) -> None:
        slowed(slow, keys=150)  # by chance, a few keys are made before the signal comes
        before = slow.tree("working"), slow.tree("stacks")
        with Terminal(PROGRAM, "forge", cwd=slow.folder) as terminal:
            terminal.until(is_live)
            if isinstance(stop, str):
                terminal.type(stop)
            else:
                terminal.kill(stop)
            assert terminal.end() == code
            assert terminal.screen.lines[-1] == word
            assert not is_live(terminal.screen.lines)
            assert "Traceback" not in terminal.text
        assert (slow.tree("working"), slow.tree("stacks")) == before
        last = slow.logs()[-1][-1]
        assert (last["event"], last["code"], last["errors"]) == ("end", code, [])
        assert len((slow.folder / ".cluster-forge/history.jsonl").read_text().splitlines()) == 1

    def test_how_to_go_on_is_left_when_the_display_is_gone(self) -> None:
        with Terminal(sys.executable, "-c", DELIVERY, columns=80, LC_ALL="C.UTF-8", TERM="xterm") as terminal:
            terminal.until(is_live)
            terminal.type("\x03")
            assert terminal.end() == 130
            stopped = "stopped: what was changed so far stays; to go on: cluster-forge deploy"
            assert terminal.screen.lines[-3:] == ["done: web; begun: db", stopped, "interrupted"]

    def test_stdout_is_closed(self, slow: Workspace) -> None:
        with Terminal("sh", "-c", f"'{PROGRAM}' forge | head -1; echo end", cwd=slow.folder) as terminal:
            assert terminal.end() == 0
            assert any(map(is_live, terminal.states))
            assert terminal.screen.lines[-2:] == ["stacks/demo holds the stack 'demo':", "end"]

    def test_stderr_is_closed_and_the_work_is_done_all_the_same(self, workspace: Workspace) -> None:
        ours, theirs = os.pipe()
        os.close(ours)
        done = subprocess.run(
            [PROGRAM, "forge", "-v"], cwd=workspace.folder, stderr=theirs, stdout=subprocess.PIPE, check=False
        )
        os.close(theirs)
        assert done.returncode == 0
        assert done.stdout.startswith(b"stacks/demo holds the stack")

    @pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
    def test_a_stream_that_was_never_open(self, workspace: Workspace, closed: str) -> None:
        done = subprocess.run(
            f"'{PROGRAM}' forge {closed}", shell=True, cwd=workspace.folder, capture_output=True, check=False
        )
        assert done.returncode == 0
        assert b"Traceback" not in done.stderr
        assert (workspace.folder / "stacks/demo/stack.json").is_file()

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full disk to try")  # noqa: PTH110
    @pytest.mark.parametrize("arguments", [("forge", "-q", "--format=json"), ("config", "show"), ("help", "errors")])
    def test_the_disk_that_stdout_goes_to_is_full(self, workspace: Workspace, arguments: tuple[str, ...]) -> None:
        with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
            done = subprocess.run(
                [PROGRAM, *arguments], cwd=workspace.folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode == 20
        assert done.stderr.startswith("error: the output cannot be written: No space left on device\n  fix: ")

    def test_json_is_alone_on_stdout_while_the_display_runs(self, slow: Workspace) -> None:
        ours, theirs = os.pipe()
        with Terminal(PROGRAM, "forge", "--format", "json", "--timings", stdout=theirs, cwd=slow.folder) as terminal:
            os.close(theirs)
            assert terminal.end() == 0
            assert any(map(is_live, terminal.states))
        with open(ours) as pipe:  # noqa: PTH123 - a descriptor
            answer = json.load(pipe)
        assert answer["command"] == "forge"
        assert [stage["stage"] for stage in answer["timings"]["stages"]][-1] == "cast"


class TestInterrupts:
    """Ctrl-C at moments that cannot be hit by waiting: while a module is being loaded."""

    PROGRAM = """\
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
sys.argv[1:] = {arguments!r}
from cluster_forge.__main__ import main
main()
"""

    @pytest.mark.parametrize(
        "module",
        [
            "click",
            "cluster_forge.cli.app",
            "cluster_forge.cli.commands.cast",
            "cluster_forge.cli.run_record",
            "cluster_forge.cli.output.error_text",
            "cluster_forge.composition",
            "cluster_forge.stages.build.cast",
            "filelock",
        ],
    )
    def test_never_show_a_traceback(self, workspace: Workspace, module: str) -> None:
        program = self.PROGRAM.format(module=module, arguments=["cast"])
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=workspace.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 130
        assert "Traceback" not in done.stderr

    def test_what_the_caller_ignores_stays_ignored(self) -> None:
        program = (
            "import signal; from cluster_forge.cli import termination as ending\n"
            "signal.signal(signal.SIGHUP, signal.SIG_IGN); ending.listen()\n"
            "assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN\n"
            "assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True)
