"""The line about the network, at every width."""

from __future__ import annotations

import click
import pytest

from cluster_forge.cli.progress import state
from cluster_forge.cli.progress.line_reporter import LineReporter
from cluster_forge.cli.progress.network_state import Network
from cluster_forge.cli.progress.state import Progress, lines


def test_there_is_no_line_without_traffic() -> None:
    network = Network()
    network.received(0, 1.0)
    assert network.line(1.0) is None
    network.received(100, 1.0)
    network.waiting("a:443", 3.0, "503")
    assert network.line(2.9) is not None
    assert network.line(3.1) is None


def test_bytes_speed_and_the_longest_wait_are_shown() -> None:
    network = Network()
    network.received(3_000_000, 9.0)
    network.received(1_000_000, 9.5)
    network.waiting("b.example.com:5000", 10.6, "connection failed")
    network.waiting("charts.example.com:443", 14.0, "429")
    network.waiting("charts.example.com:443", 10.2, "503")  # another request, and a shorter wait
    assert network.line(10.0) == ("4.0 MB", "2.0 MB/s  waiting 4 s for charts.example.com (429) +1")
    assert network.line(13.0) == ("4.0 MB", "waiting 1 s for charts.example.com (429)")


@pytest.mark.parametrize("columns", range(1, 100, 7))
def test_the_line_leaves_the_last_column_free(columns: int) -> None:
    said = ("4.0 MB", "2.0 MB/s  waiting 4 s for charts.example.com (429)")
    progress = Progress(["mine"])
    progress.stage_started("mine", 3)
    shown = [click.unstyle(line) for line in lines(progress, columns=columns, seconds=1, network=said)]
    assert len(shown) == 3
    assert state.cells(shown[1]) <= max(columns - 1, 1)
    if columns > 70:
        assert shown[1] == "network 4.0 MB  2.0 MB/s  waiting 4 s for charts.example.com (429)"


def test_waits_of_a_second_are_lines_once_for_each_host() -> None:
    printed: list[str] = []
    reporter = LineReporter(1, printed.append)
    reporter.waiting("a.example.com:80", 0.4, "503")
    reporter.waiting("a.example.com:80", 4.2, "503")
    reporter.waiting("a.example.com:80", 4.2, "503")  # another request
    reporter.waiting("b.example.com:443", 4.2, "429")
    reporter.waiting("a.example.com:80", 9.0, "429")
    assert printed == [
        "waiting 4 s for a.example.com (503)",
        "waiting 4 s for b.example.com (429)",
        "waiting 9 s for a.example.com (429)",
    ]
