from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.foundation.errors import FetchError, ForgeError, LockError, RenderError

BOTH = pytest.mark.parametrize("jobs", [1, 8])


@BOTH
def test_results_keep_the_order_of_the_items(jobs: int) -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.02 if number == 0 else 0)
        return number * 2

    assert ThreadWorkers(jobs).map(slow_first, range(20)) == list(range(0, 40, 2))


@BOTH
def test_no_items_give_no_results(jobs: int) -> None:
    assert ThreadWorkers(jobs).map(str, []) == []


def test_calls_run_in_parallel() -> None:
    together = threading.Barrier(4, timeout=10)
    assert len(ThreadWorkers(4).map(lambda _: together.wait(), range(4))) == 4


@BOTH
def test_errors_are_raised_together_in_the_order_of_the_items(jobs: int) -> None:
    finished: list[int] = []

    def work(number: int) -> int:
        finished.append(number)
        if number == 1:
            time.sleep(0.02)
            raise FetchError("one")
        if number == 3:
            raise ExceptionGroup("two errors", [RenderError("three"), ExceptionGroup("inner", [LockError("four")])])
        return number

    with pytest.raises(ExceptionGroup) as raised:
        ThreadWorkers(jobs).map(work, range(6))
    assert [str(error) for error in raised.value.exceptions] == ["one", "three", "four"]
    assert sorted(finished) == list(range(6))


@BOTH
def test_single_error_is_raised_without_a_group(jobs: int) -> None:
    def work(number: int) -> None:
        if number == 2:
            raise FetchError("only", where="here", fix="so")

    with pytest.raises(FetchError) as raised:
        ThreadWorkers(jobs).map(work, range(4))
    assert (raised.value.where, raised.value.fix) == ("here", "so")


@BOTH
@pytest.mark.parametrize("bug", [ZeroDivisionError("bug"), ExceptionGroup("mixed", [ForgeError("x"), KeyError("bug")])])
def test_bug_is_raised_unchanged(jobs: int, bug: Exception) -> None:
    def work(number: int) -> None:
        raise bug if number == 0 else FetchError("not a bug")

    with pytest.raises(type(bug)) as raised:
        ThreadWorkers(jobs).map(work, range(3))
    assert raised.value is bug


def test_workers_may_use_workers() -> None:
    workers = ThreadWorkers(2)
    assert workers.map(lambda n: workers.map(lambda m: n * m, range(3)), range(3)) == [[0, 0, 0], [0, 1, 2], [0, 2, 4]]


def test_zero_jobs_are_refused() -> None:
    with pytest.raises(ValueError, match="invalid number of jobs: 0"):
        ThreadWorkers(0)


def test_ctrl_c_cancels_calls_that_have_not_started() -> None:
    program = """
import os, signal, threading, time
from cluster_forge.adapters.threads import ThreadWorkers
started = []
def work(number):
    started.append(number)
    if number == 0:
        os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)
try:
    ThreadWorkers(2).map(work, range(100))
except KeyboardInterrupt:
    print("interrupted", len(started) < 10)
"""
    begin = time.monotonic()
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": source}
    )
    assert done.stdout.strip() == "interrupted True"
    assert time.monotonic() - begin < 8
    assert signal.getsignal(signal.SIGINT) is not None


def test_heaviest_item_starts_first_and_results_keep_their_order() -> None:
    started: list[int] = []

    def call(number: int) -> int:
        started.append(number)
        return -number

    assert ThreadWorkers(2).map(call, [1, 3, 2, 5, 4], weight=lambda number: number) == [-1, -3, -2, -5, -4]
    assert started[0] in (5, 4)
    assert started[-1] in (1, 2)
