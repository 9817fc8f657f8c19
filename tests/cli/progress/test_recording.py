"""Events as records: everything is passed on, and measured."""

from __future__ import annotations

import time
from typing import Any

from tests.stages.conftest import RecordingReporter

from cluster_forge.cli.progress.recording import Recorded, Timings
from cluster_forge.cli.progress.transfer_relay import TransferRelay
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


def test_bytes_are_summed_and_waits_are_kept() -> None:
    reporter, heard, kept = recorded()
    relay = TransferRelay()
    relay.received("early:443", 5)
    with relay.passed_to(reporter):
        relay.received("a:443", 5)
        relay.received("b:443", 7)
        relay.waiting("a:443", 4.25, "429")
        reporter.stage_finished("mine", "all")
        reporter.stage_finished("smelt", "all")
    relay.waiting("late:443", 1, "503")
    passed = [("received", "a:443", "5"), ("received", "b:443", "7"), ("waiting", "a:443", "4.25", "429")]
    assert heard.events[:3] == passed
    assert len(heard.events) == 5
    assert {name: kept[0][name] for name in ("event", "host", "for", "reason")} == {
        "event": "waiting", "host": "a:443", "for": 4.25, "reason": "429",
    }  # fmt: skip
    assert [record.get("received") for record in kept[1:]] == [12, None]


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
