"""The lines of the live display, at every width and for any order of events."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.cli.output.counts import clock
from cluster_forge.cli.progress import state
from cluster_forge.cli.progress.line_reporter import LineReporter
from cluster_forge.cli.progress.state import ASCII, UNICODE, Progress, lines, plain
from cluster_forge.manifests.finding import Finding, Severity

STAGES = ("mine", "render", "smelt", "cast")
names = st.one_of(
    st.from_regex(r"[a-z][a-z0-9-]{0,62}", fullmatch=True), st.text(st.characters(categories=["L", "Mn"]))
)
events = st.lists(
    st.one_of(
        st.tuples(st.just("stage_started"), st.sampled_from((*STAGES, "another-stage")), st.integers(0, 10_000)),
        st.tuples(st.sampled_from(["item_started", "item_finished"]), st.sampled_from(STAGES), names),
        st.tuples(st.just("stage_finished"), st.sampled_from(STAGES)),
    )
)


def after(*happened: tuple[object, ...]) -> Progress:
    progress = Progress(STAGES)
    for event, *arguments in happened:
        getattr(progress, str(event))(*arguments)
    return progress


@given(events, st.integers(1, 250), st.floats(0, 1e6), st.sampled_from([UNICODE, ASCII]))
def test_every_line_leaves_the_last_column_free(
    happened: list[tuple[object, ...]], columns: int, seconds: float, glyphs: state.Glyphs
) -> None:
    shown = lines(after(*happened), columns=columns, seconds=seconds, glyphs=glyphs)
    assert 1 <= len(shown) <= len(STAGES) + 2
    for line in state.plain(shown):
        assert "\n" not in line
        assert state.cells(line) <= max(columns - 1, 1)


@given(events)
def test_the_whole_never_goes_back_and_never_beyond_its_end(happened: list[tuple[object, ...]]) -> None:
    progress, shares = Progress(STAGES), [0.0]
    for event, *arguments in happened:
        getattr(progress, str(event))(*arguments)
        shares.append(progress.share)
    assert shares == sorted(shares)
    assert shares[-1] <= 1


def test_all_stages_finished_is_all() -> None:
    progress = after(
        *(("stage_started", stage, 3) for stage in STAGES), *(("stage_finished", stage) for stage in STAGES)
    )
    assert progress.share == 1
    assert progress.open == []


def test_a_stage_ends_with_a_later_one() -> None:
    progress = after(
        ("stage_started", "mine", 3),
        ("item_started", "mine", "a"),
        ("stage_started", "smelt", 1),
        ("stage_finished", "smelt"),
    )
    assert progress.open == []
    assert progress.share == 0.75


def test_a_component_with_two_sources_is_being_worked_on_until_both_are_there() -> None:
    twice = [("item_started", "mine", "a"), ("item_started", "mine", "a"), ("item_finished", "mine", "a")]
    assert after(("stage_started", "mine", 2), *twice).open == [("mine", 1, 2, ("a",))]
    assert after(("stage_started", "mine", 2), *twice, ("item_finished", "mine", "a")).open == [("mine", 2, 2, ())]


def test_an_item_that_is_finished_again_is_counted_once() -> None:
    """A chart is rendered again when other components define APIs that it asks for: 7/7, not 8/8, 9/9."""
    progress = Progress(["render"])
    printed: list[str] = []
    reporter = LineReporter(1, printed.append)
    progress.stage_started("render", 2)
    reporter.stage_started("render", 2)
    for item, is_again in (("a", False), ("a", True), ("b", False), ("a", True)):
        progress.item_finished("render", item, is_again=is_again)
        reporter.item_finished("render", item, again=is_again)
    assert progress.open == [("render", 2, 2, ())]
    assert [line.split()[1] for line in printed] == ["1/2", "1/2", "2/2", "2/2"]


@pytest.mark.parametrize(("code", "is_shown"), [("pulled-in", True), ("hook-dropped", False)])
def test_what_was_added_to_the_stack_is_shown_without_v(code: str, *, is_shown: bool) -> None:
    printed: list[str] = []
    finding = Finding(code=code, severity=Severity.NOTICE, message="added: required by grafana")
    LineReporter(1, printed.append).finding_reported(finding)
    assert bool(printed) is is_shown
    LineReporter(0, printed.append).finding_reported(finding)
    assert len(printed) == is_shown


def test_what_is_done_is_never_more_than_all() -> None:
    happened: list[tuple[object, ...]] = [
        ("stage_started", "render", 1),
        ("item_finished", "render", "a"),
        ("item_finished", "render", "a"),
    ]
    assert after(*happened).open == [("render", 2, 2, ())]
    printed: list[str] = []
    reporter = LineReporter(1, printed.append)
    for event, *arguments in happened:
        getattr(reporter, str(event))(*arguments)
    assert [line.split()[1] for line in printed] == ["1/1", "2/2"]


def test_as_many_items_as_fit_and_how_many_more() -> None:
    progress = after(
        ("stage_started", "mine", 9), *(("item_started", "mine", f"component-{letter}") for letter in "abcd")
    )
    at = {columns: click.unstyle(lines(progress, columns=columns, seconds=1)[0]) for columns in (40, 80, 120)}
    assert at[120].endswith("component-a, component-b, component-c, component-d")
    assert at[80].endswith("component-a, component-b, component-c +1")
    assert at[40].endswith("component-a +3")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.9, "59 s"), (65, "1:05"), (3725, "1:02:05")]
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_items_that_wait_have_lines_of_their_own_above_the_stage() -> None:
    progress = Progress(["deploy"])
    progress.stage_started("deploy", 3)
    progress.item_started("deploy", "grafana")
    progress.item_started("deploy", "loki")
    progress.item_waiting("deploy", "grafana", "Deployment/grafana: 0 of 1 replica available", 2)
    progress.item_waiting("deploy", "loki", "StatefulSet/loki: 0 of 3 replicas ready", 5)
    progress.item_waiting("deploy", "grafana", "Deployment/grafana: not observed yet", 6)
    shown = plain(lines(progress, columns=60, seconds=14))
    assert shown[:2] == [
        "grafana    12 s  Deployment/grafana: not observed yet",
        "loki      9.0 s  StatefulSet/loki: 0 of 3 replicas ready",
    ]
    progress.item_finished("deploy", "grafana")
    assert [line.split()[0] for line in plain(lines(progress, columns=60, seconds=14))] == ["loki", "deploy", "total"]


def test_of_many_items_that_wait_the_first_are_shown() -> None:
    progress = Progress(["deploy"])
    progress.stage_started("deploy", 30)
    for number in range(30):
        progress.item_started("deploy", f"c{number}")
        progress.item_waiting("deploy", f"c{number}", "x" * 200, 0)
    shown = plain(lines(progress, columns=40, seconds=1))
    assert len(shown) == 12 + 2
    assert shown[11] == "+19 more wait"
    assert all(len(line) < 40 for line in shown)


def test_an_item_that_has_failed_has_a_line_at_once() -> None:
    lines: list[str] = []
    reporter = LineReporter(1, lines.append, items=2)
    reporter.stage_started("deploy", 3)
    reporter.item_finished("deploy", "loki", "ready, 3 objects", state="ready")
    reporter.item_finished("deploy", "grafana", "failed: denied", state="failed")
    reporter.item_finished("deploy", "alloy", "blocked: needs grafana", state="blocked")
    assert [" ".join(line.split()) for line in lines] == ["deploy 2/3 grafana: failed: denied"]


def test_a_text_of_others_is_one_line() -> None:
    lines: list[str] = []
    reporter = LineReporter(1, lines.append)
    reporter.item_waiting("deploy", "web", "no endpoint\ndeploy 9 of 9 components deployed")
    reporter.item_finished("deploy", "web", "failed: denied\ndeploy 9 of 9 components deployed", state="failed")
    assert [len(line.splitlines()) for line in lines] == [1, 1]


class TestWarningLimit:
    def finding(self, code: str, severity: Severity = Severity.WARNING) -> Finding:
        return Finding(code=code, severity=severity, message="m")

    def test_many_warnings_are_summarized_before_the_stage_ends(self) -> None:
        printed: list[str] = []
        reporter = LineReporter(1, printed.append)
        for code, count in (("requests", 80), ("memory-limit", 5), ("spread", 1)):
            for _ in range(count):
                reporter.finding_reported(self.finding(code))
        reporter.stage_finished("smelt", "done")
        reporter.close()
        assert [click.unstyle(line).split("]")[0] for line in printed[:7]] == [
            *["warning[requests"] * 3,
            *["warning[memory-limit"] * 3,
            "warning[spread",
        ]
        assert printed[7] == ("… and 79 more warnings (requests 77, memory-limit 2): `cluster-forge check` shows them")
        assert len(printed) == 9

    def test_errors_are_always_printed_and_with_v_everything_is(self) -> None:
        for verbosity, severity in ((1, Severity.ERROR), (2, Severity.WARNING)):
            printed: list[str] = []
            reporter = LineReporter(verbosity, printed.append)
            for _ in range(50):
                reporter.finding_reported(self.finding("requests", severity))
            reporter.close()
            assert len(printed) == 50

    def test_a_run_that_ends_early_has_the_summary_too(self) -> None:
        printed: list[str] = []
        reporter = LineReporter(1, printed.append)
        for number in range(30):
            reporter.finding_reported(self.finding(f"code-{number:02}"))
        reporter.close()
        assert len(printed) == 16
        assert printed[-1].startswith("… and 15 more warnings (code-15 1, ")
        assert ", 7 other codes)" in printed[-1]
