"""Writing what was applied: of all components at once, and what happens when that fails."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.fake_clock import FakeClock

from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.stages.deliver.cluster_records.applied import AppliedComponent
from cluster_forge.stages.deliver.direct.record_keeper import RecordKeeper

A, B, C = map(ComponentName, "abc")
FIRST, SECOND = AppliedComponent(), AppliedComponent(digest="2")


class Written:
    """What was written, request by request; a component in ``refused`` makes a request fail."""

    def __init__(self) -> None:
        self.requests: list[Mapping[ComponentName, AppliedComponent]] = []
        self.refused: frozenset[ComponentName] = frozenset()

    def __call__(self, components: Mapping[ComponentName, AppliedComponent]) -> None:
        if self.refused & components.keys():
            raise RefusedError("too large", status=422, reason="Invalid")
        self.requests.append(components)


@pytest.fixture
def written() -> Written:
    return Written()


def test_what_comes_within_seconds_is_one_request(written: Written) -> None:
    clock = FakeClock()
    keeper = RecordKeeper(written, clock)
    keeper.note(A, FIRST)
    keeper.note(B, FIRST)
    clock.sleep(1)
    keeper.note(A, SECOND)
    assert written.requests == [{A: FIRST}]
    clock.sleep(9.5)
    keeper.note(C, FIRST)
    assert written.requests[1:] == [{A: SECOND, B: FIRST, C: FIRST}]
    keeper.note(A, FIRST)
    assert keeper.finish() == {}
    assert written.requests[2:] == [{A: FIRST}]


def test_nothing_left_makes_no_request(written: Written) -> None:
    keeper = RecordKeeper(written, FakeClock())
    assert keeper.finish() == {}
    assert written.requests == []


def test_what_failed_is_written_the_next_time(written: Written) -> None:
    clock = FakeClock()
    keeper = RecordKeeper(written, clock)
    written.refused = frozenset({A})
    keeper.note(A, FIRST)
    written.refused = frozenset()
    clock.sleep(10)
    keeper.note(B, FIRST)
    assert written.requests == [{A: FIRST, B: FIRST}]


def test_at_the_end_only_what_is_refused_is_lost(written: Written) -> None:
    keeper = RecordKeeper(written, FakeClock())
    written.refused = frozenset({B})
    for name in (B, A, C):
        keeper.note(name, FIRST)
    assert keeper.finish() == {B: "too large"}
    assert written.requests == [{A: FIRST}, {C: FIRST}]


def test_a_server_that_does_not_answer_is_not_asked_for_each_component() -> None:
    asked = 0

    def unreachable(_: Mapping[ComponentName, AppliedComponent]) -> None:
        nonlocal asked
        asked += 1
        raise ClusterError("does not answer")

    keeper = RecordKeeper(unreachable, FakeClock())
    keeper.note(A, FIRST)
    keeper.note(B, FIRST)
    assert keeper.finish() == {A: "does not answer", B: "does not answer"}
    assert asked == 2
