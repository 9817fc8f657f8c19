"""Rounds: what is run how often, what a failure leaves out, and that everything is kept until the end and then removed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tools.bench import helm, rounds
from tools.bench.cases import CASES
from tools.bench.measure import Run
from tools.bench.rounds import Work
from tools.bench.steps import Step


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of the rounds are below ``tmp_path``, and the disk is not flushed."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(os, "sync", lambda: None)


def steps(folder: Path, *, name: str, seen: list[Path]) -> Iterator[Step]:
    """One step, which leaves a file; it fails if its name says so."""
    assert all((before / "left").exists() for before in seen)
    (folder / "left").touch()
    seen.append(folder)
    if name == "fails":
        raise RuntimeError("exit code 1")
    if name == "is interrupted":
        raise KeyboardInterrupt
    yield Step(case=name, verb="", state="", run=Run(wall=1, cpu=1, peak_mb=1))


def work(name: str, seen: list[Path], *, is_once: bool = False) -> Work:
    return Work(name=name, steps=partial(steps, name=name, seen=seen), is_once=is_once)


def test_every_round_keeps_what_it_wrote_until_the_end(tmp_path: Path) -> None:
    seen: list[Path] = []
    works = [work("once", seen, is_once=True), work("often", seen)]
    done, failed = rounds.measure(works, runs=3, budget=60)
    assert [step.case for step in done] == ["once", "often", "often", "often"]
    assert failed == set()
    assert len(set(seen)) == 4
    assert list(tmp_path.iterdir()) == []


def test_what_failed_is_not_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Path] = []
    done, failed = rounds.measure([work("fails", seen), work("often", seen)], runs=2, budget=60)
    assert [step.case for step in done] == ["often", "often"]
    assert len(seen) == 3
    assert failed == {"fails"}
    assert "fails failed: exit code 1" in capsys.readouterr().err


def test_an_interruption_removes_everything(tmp_path: Path) -> None:
    seen: list[Path] = []
    with pytest.raises(KeyboardInterrupt):
        rounds.measure([work("often", seen), work("is interrupted", seen)], runs=2, budget=60)
    assert len(seen) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_reported_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rounds, "_NEEDED_GB", 1e9)
    seen: list[Path] = []
    assert rounds.measure([work("often", seen)], runs=1, budget=60) == ([], {"often"})
    assert seen == []
    assert "GB are free; TMPDIR names another folder" in capsys.readouterr().err


def test_a_round_that_would_take_too_long_is_not_started(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Path] = []
    rounds.measure([work("often", seen)], runs=3, budget=0)
    assert len(seen) < 3
    assert "another would take longer" in capsys.readouterr().err


def test_the_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm, "HELM", None)
    own = [work.name for work in rounds.full(["starter", "50,000"], ())]
    assert own == ["warm up", "--help", "mine over a network", "starter", "50,000"]
    alone = [work.name for work in rounds.full(["deliver-starter-flux"], ())]
    assert alone == ["warm up", "--help", "deliver-starter-flux"]
    monkeypatch.setattr(helm, "HELM", "helm")
    every = [work.name for work in rounds.full([case.name for case in CASES], ())]
    assert [work.name for work in rounds.quick(()) if work.name not in every] == []
    assert all(work.is_once for work in rounds.full(["50,000"], ()) if work.name == "50,000")


def test_helm_on_all_cores_takes_its_arguments_as_they_are(tmp_path: Path) -> None:
    texts = ["plain", 'it\'s "quoted"', "two\nlines", "$HOME `id` \\", "größer", "", "{}", "-n"]
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    commands = [["printf", "%s", text] for text in texts]
    subprocess.run(helm.parallel(commands, folder), check=True)
    assert [(folder / f"{number}.yaml").read_text() for number in range(len(texts))] == texts


def test_a_failure_on_all_cores_is_one_of_the_command(tmp_path: Path) -> None:
    commands = [["true"], ["false"], ["true"]]
    assert subprocess.run(helm.parallel(commands, tmp_path), check=False).returncode != 0
