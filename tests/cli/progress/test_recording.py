"""Events as records: everything is passed on, and measured."""

from __future__ import annotations

import time
from typing import Any

from tests.stages.conftest import RecordingReporter

from cluster_forge.cli.progress.recording import Recorded, Timings
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity

FINDING = Finding(code="stale", severity=Severity.WARNING, component=ComponentName("a"), message="is old")


def recorded() -> tuple[Recorded, RecordingReporter, list[dict[str, Any]]]:
    heard, kept = RecordingReporter(), list[dict[str, Any]]()
    return Recorded(heard, lambda event: kept.append(dict(event)), began=time.monotonic()), heard, kept


def test_everything_is_passed_on_and_kept() -> None:
    reporter, heard, kept = recorded()
    reporter.stage_started("mine", 1)
    reporter.item_started("mine", "a")
    reporter.item_finished("mine", "a", "1.2.3", cached=True, bytes=7)
    reporter.stage_finished("mine", "all")
    reporter.finding_reported(FINDING)
    events = [("started", "mine", "1"), ("advanced", "mine", "a", "1.2.3"), ("finished", "mine", "all")]
    assert (heard.events, heard.begun, heard.findings) == (events, [("mine", "a")], [FINDING])
    assert [record["event"] for record in kept] == ["started", "began", "advanced", "finished", "noticed"]
    assert (kept[2]["cached"], kept[2]["bytes"], kept[2]["detail"]) == (True, 7, "1.2.3")
    assert (kept[4]["code"], kept[4]["item"], kept[4]["message"]) == ("stale", "a", "is old")


def test_seconds_are_measured_unless_the_stage_knows_better() -> None:
    reporter, _, kept = recorded()
    reporter.stage_started("mine", 3)
    reporter.item_started("mine", "a")
    time.sleep(0.02)
    reporter.item_finished("mine", "a")
    reporter.item_started("mine", "b")
    reporter.item_finished("mine", "b", seconds=5.5)
    reporter.item_finished("mine", "never begun")
    reporter.stage_finished("mine", "")
    took = {
        record["item"]: record["seconds"] for record in kept if record["event"] == "advanced" and "seconds" in record
    }
    assert 0.02 <= took["a"] < 5
    assert took == {"a": took["a"], "b": 5.5}
    assert kept[-1]["seconds"] >= 0.02


def test_timings_count_what_was_cached_and_sort_the_slowest() -> None:
    timings = Timings()
    timings.add({"event": "started", "at": 1.0, "stage": "render", "total": 30})
    for number in range(30):
        done = {"event": "advanced", "stage": "render", "item": f"c{number}", "cached": number % 3 == 0}
        timings.add({**done, "at": 1 + number / 10, "seconds": number / 100})
    timings.add({"event": "noticed", "at": 9.0})
    answer = timings.json()
    assert answer["stages"] == [{"stage": "render", "seconds": 2.9, "items": 30, "cached": 10}]
    assert [item["item"] for item in answer["slowest"]] == [f"c{number}" for number in range(29, 19, -1)]
    assert "10 from the cache" in "\n".join(timings.lines(3))
