"""The report: the same figures as text, from its own JSON, and as tables for the pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tools.bench import report
from tools.bench.history import Conditions
from tools.bench.measure import Run
from tools.bench.report import Report
from tools.bench.steps import Step


def step(verb: str, state: str, run: Run, objects: int = 0) -> Step:
    return Step(case="everything", verb=verb, state=state, run=run, objects=objects)


REPORT = Report(
    commit="c0ffee",
    conditions=Conditions(form="full", cores=2, python="3.11", system="Linux x86_64", helm="v3.22.0"),
    steps=[
        step("forge", "cold", Run(wall=8, cpu=9, peak_mb=1200, out=b"{}"), objects=1275),
        step("forge", "cold", Run(wall=4, cpu=7, peak_mb=1000), objects=1275),
        step("helm template", "one by one", Run(wall=9, cpu=8, peak_mb=200)),
        Step(case="program", verb="--help", state="", run=Run(wall=0.08, cpu=0.07, peak_mb=30)),
    ],
)


def test_text() -> None:
    assert [" ".join(line.split()) for line in REPORT.text()] == [
        "runs wall s CPU s peak MB objects per second",
        "everything forge cold 2 6.00 8.00 1100 1275 212",
        "helm template one by one 1 9.00 8.00 200",
        "program --help 1 0.08 0.07 30",
        "",
        "missed 1.5× ≥ 2× (goal: 3×) helm one by one ÷ cold forge, wall",
        "1× helm one by one ÷ cold forge, CPU",
        "114× helm one by one ÷ --help, CPU",
        "reached 0.08 s ≤ 0.1 s --help",
        "missed 1100 MB ≤ 700 MB peak of everything",
    ]


def test_markdown() -> None:
    assert list(REPORT.markdown()) == [
        "2 cores, Linux x86_64, Python 3.11, Helm v3.22.0, commit c0ffee:",
        "",
        "| command | wall s | CPU s | peak MB |",
        "|---|---|---|---|",
        "| everything: `forge`, cold | 6.00 | 8.00 | 1,100 |",
        "| everything: `helm template`, one by one | 9.00 | 8.00 | 200 |",
        "| program: `--help` | 0.08 | 0.07 | 30 |",
        "",
        "| figure | measured | target | verdict |",
        "|---|---|---|---|",
        "| helm one by one ÷ cold forge, wall | 1.5× | ≥ 2× (goal: 3×) | missed |",
        "| helm one by one ÷ cold forge, CPU | 1× | – | – |",
        "| helm one by one ÷ --help, CPU | 114× | – | – |",
        "| --help | 0.08 s | ≤ 0.1 s | reached |",
        "| peak of everything | 1100 MB | ≤ 700 MB | missed |",
    ]


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    file.write_text(REPORT.json(), encoding="utf-8")
    assert list(report.load(file).text()) == list(REPORT.text())
    assert list(report.load(file).markdown()) == list(REPORT.markdown())


def test_a_report_without_runs_has_no_rows(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    file.write_text(Report(commit="", conditions=REPORT.conditions, steps=[]).json(), encoding="utf-8")
    assert len(list(report.load(file).markdown())) == 7


@pytest.mark.parametrize("text", [None, "{}", '{"schema": "cluster-forge/bench/v2"}', json.dumps([]), "{"])
def test_another_file_is_not_a_report(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "bench.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit, match=r"bench\.json: .* run `make bench`"):
        report.load(file)
