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


class TestQueue:
    def test_calls_start_while_others_are_still_added(self) -> None:
        started = threading.Event()
        with ThreadWorkers(2).queue() as queue:
            (first,) = queue.add(lambda _: started.set(), [1])
            assert started.wait(10)
            (second,) = queue.add(lambda number: number + 1, [1])
            assert (first(), second()) == (None, 2)

    def test_with_one_job_calls_wait_for_the_one_that_needs_them(self) -> None:
        threads: list[threading.Thread] = []
        with ThreadWorkers(1).queue() as queue:
            (call,) = queue.add(lambda _: threads.append(threading.current_thread()), [1])
            assert threads == []
            call()
        assert threads == [threading.current_thread()]

    def test_the_heaviest_of_all_waiting_calls_starts_first(self) -> None:
        started: list[int] = []
        may_go_on, may_end = threading.Event(), threading.Event()
        are_busy = threading.Barrier(3, timeout=10)

        def hold(event: threading.Event) -> None:
            are_busy.wait()
            event.wait(10)

        with ThreadWorkers(2).queue() as queue:
            _, held = queue.add(hold, [may_end, may_go_on])
            are_busy.wait()
            calls = [
                call
                for numbers in ([3, 9], [5], [1, 7], [])
                for call in queue.add(started.append, numbers, weight=lambda number: number)
            ]
            calls += queue.add(started.append, [-1, -2])
            may_go_on.set()  # for one of the two threads
            for call in [held, *calls]:
                call()
            may_end.set()
        assert started == [9, 7, 5, 3, 1, -1, -2]

    def test_calls_are_added_from_any_thread(self) -> None:
        workers = ThreadWorkers(4)
        with workers.queue() as queue:
            added = workers.map(lambda number: queue.add(str, [number, -number]), range(50))
            assert [[call() for call in calls] for calls in added] == [[str(n), str(-n)] for n in range(50)]

    def test_calls_that_have_not_started_by_the_end_never_do(self) -> None:
        started: list[int] = []
        may_end = threading.Event()

        def call(number: int) -> None:
            started.append(number)
            may_end.wait(10)

        began = time.monotonic()
        with pytest.raises(FetchError), ThreadWorkers(2).queue() as queue:  # noqa: PT012 - the error leaves the context
            queue.add(call, range(20))
            while len(started) < 2:
                time.sleep(0.001)
            raise FetchError("gone")
        assert time.monotonic() - began < 5, "calls that have started are not waited for"
        may_end.set()
        time.sleep(0.1)
        assert sorted(started) == [0, 1]
