"""The program: its arguments, what a run records, and its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tools.bench import __main__ as program
from tools.bench import helm, history, rounds
from tools.bench.measure import Run
from tools.bench.steps import Step

PROJECT = Path(__file__).parents[3]


class TestRun:
    @pytest.fixture(autouse=True)
    def own_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(history, "FILE", tmp_path / "history.jsonl")
        monkeypatch.setattr(program, "_REPORT", tmp_path / "build" / "bench.json")
        monkeypatch.setattr(helm, "version", lambda: "v3.22.0")
        monkeypatch.setattr(history, "commit", lambda _: "c0ffee")

    def run(self, monkeypatch: pytest.MonkeyPatch, *arguments: str, wall: float = 1, fails: bool = False) -> int:
        """A run in which a cold forge takes ``wall`` seconds, and Helm 10."""
        ours = Step(case="everything", verb="forge", state="cold", run=Run(wall=wall, cpu=1, peak_mb=1))
        other = Step(case="everything", verb="helm template", state="one by one", run=Run(wall=10, cpu=1, peak_mb=1))
        outcome = ([ours, other], {"a case"} if fails else set())
        monkeypatch.setattr(rounds, "measure", lambda works, *, runs, budget: outcome)
        return program.run(program.arguments(arguments))

    def test_a_regression_is_printed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(monkeypatch, "--strict") == 0
        assert capsys.readouterr().out.endswith("history.jsonl; compared with 0 runs under the same conditions\n")
        assert self.run(monkeypatch, wall=2) == 0
        out = capsys.readouterr().out
        assert "compared with 1 run under" in out
        assert "worse by 100 %: helm one by one ÷ cold forge, wall: 5×, was 10× up to c0ffee" in out
        assert self.run(monkeypatch, "--strict", wall=2) == 1
        assert self.run(monkeypatch, "--strict", "--quick", wall=2) == 0
        forms = [entry.conditions.form for entry in history.load(history.FILE)]
        assert forms == ["full", "full", "full", "quick"]
        assert json.loads((tmp_path / "build/bench.json").read_text())["commit"] == "c0ffee"

    def test_other_conditions_are_not_recorded(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(monkeypatch, "--jobs", "1") == 0
        assert "not recorded: --jobs was given" in capsys.readouterr().out
        assert self.run(monkeypatch, fails=True) == 1
        assert "not recorded: a case failed" in capsys.readouterr().out
        assert history.load(history.FILE) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["nothing"], "no such case: nothing"),
        (["--quick", "everything"], "--quick has a case of its own"),
        (["--runs", "few"], "invalid int value"),
    ],
)
def test_wrong_arguments(given: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program.arguments(given)
    assert message in capsys.readouterr().err


def test_the_quick_form_has_one_round() -> None:
    assert program.arguments(["--quick"]).runs == 1
    assert program.arguments(["--quick", "--runs", "2"]).runs == 2
    assert program.arguments([]).runs == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_what_is_measured(tmp_path: Path, number: signal.Signals) -> None:
    """The program that is measured, and what it started, do not outlive the bench."""
    pids = tmp_path / "pids"
    measured = f"sleep 60 & echo $! $$ >{pids}.new && mv {pids}.new {pids}; wait"
    code = (
        "import signal, sys; from tools.bench.measure import run; "
        f"signal.signal({number}, lambda *_: sys.exit(3)); run(['sh', '-c', sys.argv[1]])"
    )
    bench = subprocess.Popen([sys.executable, "-c", code, measured], cwd=PROJECT)
    deadline = time.monotonic() + 10
    while not pids.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    bench.send_signal(number)
    assert bench.wait(10) == 3
    for pid in map(int, pids.read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
