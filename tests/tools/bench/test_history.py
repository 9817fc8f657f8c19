"""The history: what a line holds, what it is compared with, and what counts as worse."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.bench import history
from tools.bench.history import Conditions, Entry
from tools.bench.targets import Figure, Unit

HERE = Conditions(form="full", cores=2, python="3.11", system="Linux x86_64", helm="v3.22.0")
RATIO = Figure(name="a ÷ b", value=2.0, unit=Unit.TIMES, more_is_better=True)
PEAK = Figure(name="peak", value=550, unit=Unit.MB)
SECONDS = Figure(name="warm", value=99, unit=Unit.SECONDS)


def entry(
    figures: Mapping[str, float], *, day: int = 1, commit: str = "c0ffee", conditions: Conditions = HERE
) -> Entry:
    return Entry(date=f"2026-01-{day:02}T00:00:00+00:00", commit=commit, conditions=conditions, figures=figures)


def worse(figure: Figure, *former: Entry) -> list[str]:
    return list(map(str, history.regressions([figure], history.comparable(former, HERE))))


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.builds(
        Entry,
        date=TEXT,
        commit=TEXT,
        conditions=st.builds(Conditions, form=TEXT, cores=st.integers(), python=TEXT, system=TEXT, helm=TEXT),
        figures=st.dictionaries(TEXT, st.floats(min_value=1e-6, max_value=1e9)),
    )
)
def test_a_line_is_read_as_it_was_written(written: Entry) -> None:
    line = written.line()
    assert line.index("\n") == len(line) - 1
    assert Entry.read(line) == written


def test_what_depends_on_the_speed_of_the_machine_is_not_recorded() -> None:
    found = Entry.of([RATIO, PEAK, SECONDS], HERE, "c0ffee")
    assert found.figures == {"a ÷ b": 2.0, "peak": 550}


def test_a_line_names_neither_the_machine_nor_a_folder(tmp_path: Path) -> None:
    line = Entry.of([RATIO], Conditions.here(form="quick", helm="none"), history.commit(tmp_path / "none")).line()
    assert os.uname().nodename not in line
    assert "/" not in line


def test_lines_are_appended_and_loaded_by_date(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    assert history.load(file) == []
    written = [entry({"a": 1}, day=day) for day in (2, 3, 1)]  # as a merge of two branches leaves them
    for each in written:
        history.append(each, file)
    assert history.load(file) == [written[2], written[0], written[1]]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        "<<<<<<< HEAD",
        '{"date": "2026", "commit": "c0ffee", "figures": {}}',
        *(
            entry({"a": 1}).line().strip().replace('"a": 1', figures)
            for figures in ('"a": NaN', '"a": 0', '"a": -1', '"a": Infinity', '"a": null', '"a": [1]')
        ),
        entry({"a": 1}).line().strip().replace('"cores"', '"kernels"'),
        entry({"a": 1}).line().strip().replace('{"a": 1}', '["a"]'),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text(f"{entry({'a': 1}).line()}{line}\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"history\.jsonl:2: not an entry .*: remove the line"):
        history.load(file)


@pytest.mark.parametrize(
    ("figure", "name", "before", "text"),
    [
        (RATIO, "a ÷ b", 2.2, "worse by 10 %: a ÷ b: 2×, was 2.2× up to c0ffee"),
        (RATIO, "a ÷ b", 2.19, None),
        (RATIO, "a ÷ b", 1.0, None),
        (PEAK, "peak", 500, "worse by 10 %: peak: 550 MB, was 500 MB up to c0ffee"),
        (PEAK, "peak", 501, None),
        (PEAK, "peak", 5000, None),
        (PEAK, "another", 1, None),
        (SECONDS, "warm", 1, None),
    ],
)
def test_ten_percent_are_reported(figure: Figure, name: str, before: float, text: str | None) -> None:
    assert worse(figure, entry({name: before})) == ([text] if text else [])


def test_the_median_of_the_last_three_counts() -> None:
    former = [entry({"a ÷ b": value}, day=day) for day, value in enumerate((9.0, 9.0, 9.0, 2.0, 9.0, 2.1), 1)]
    assert worse(RATIO, *former) == []
    assert worse(RATIO, *former[:-1])


def test_runs_without_the_figure_are_skipped() -> None:
    former = [entry({"a ÷ b": 3.0}, commit="01d"), *(entry({"peak": 1}, day=day) for day in (2, 3, 4, 5))]
    assert worse(RATIO, *former) == ["worse by 50 %: a ÷ b: 2×, was 3× up to 01d"]


@pytest.mark.parametrize(
    "other",
    [
        entry({"a ÷ b": 9.0}, commit="c0ffee-dirty"),
        *(
            entry({"a ÷ b": 9.0}, conditions=conditions)
            for conditions in (
                replace(HERE, form="quick"),
                replace(HERE, cores=8),
                replace(HERE, python="3.14"),
                replace(HERE, system="Darwin arm64"),
                replace(HERE, helm="v4.2.0"),
            )
        ),
    ],
)
def test_only_clean_runs_under_the_same_conditions_count(other: Entry) -> None:
    assert worse(RATIO, other, other, other) == []


class TestCommit:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """The history in a folder of a repository with one commit."""
        file = tmp_path / "tools" / "history.jsonl"
        file.parent.mkdir()
        file.write_text("")
        (tmp_path / "code.py").write_text("")
        for command in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message=first")):
            self.git(tmp_path, *command)
        return file

    def git(self, folder: Path, *arguments: str) -> None:
        settings = ("user.name=a", "user.email=a@example.com", "commit.gpgsign=false")
        options = [option for setting in settings for option in ("-c", setting)]
        subprocess.run(["git", "-C", folder, *options, *arguments], check=True)

    def test_it_is_clean_although_the_history_has_grown(self, file: Path) -> None:
        file.write_text("a run\n")
        assert len(history.commit(file)) == 12
        assert entry({}, commit=history.commit(file)).is_clean

    @pytest.mark.parametrize("name", ["code.py", "new.py", "tools/new.py", "tools/history.py"])
    def test_a_changed_or_new_file_is_dirty(self, file: Path, name: str) -> None:
        (file.parents[1] / name).write_text("changed")
        assert history.commit(file).endswith("-dirty")
        assert not entry({}, commit=history.commit(file)).is_clean

    def test_without_a_repository_it_is_unknown(self, tmp_path: Path) -> None:
        assert history.commit(tmp_path / "history.jsonl") == "unknown-dirty"

    def test_the_conditions_are_those_of_this_machine(self) -> None:
        here = Conditions.here(form="quick", helm="v3.22.0")
        assert here.cores == os.cpu_count()
        assert json.loads(entry({}, conditions=here).line())["conditions"]["form"] == "quick"
