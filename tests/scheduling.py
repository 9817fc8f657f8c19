"""Which tests run in one process, and which of them first: the expensive ones, so that all processes end together.

The tests of a file run in one process, in their order, so that they share its fixtures. Files in `PARTS` are split: they
take long, and their fixtures cost little or are shared by all processes (`shared_store`).

The costs are seconds, in ``costs.json``. `pytest --update-costs` writes them from a run of all tests; files of which all tests
were skipped keep theirs, so that a run with ``--e2e`` and one without renew both.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

COSTS: Final = Path(__file__).with_name("costs.json")
CHEAP: Final = 2
"""Seconds below which a file is not listed. One that is not listed counts as this much."""

PARTS: Final[Mapping[str, int | tuple[str, ...]]] = {
    "tests/cli/prompts/test_questions.py": 3,
    "tests/corpus/test_cast.py": ("from_the_mirror", "legacy"),
    "tests/corpus/test_catalog.py": 6,
    "tests/corpus/test_catalog_new.py": 2,
    "tests/corpus/test_catalog_stacks.py": 3,
    "tests/corpus/test_everything.py": ("prd",),
    "tests/corpus/test_wiring_facts.py": 3,
    "tests/docs/test_docs.py": 8,
}
"""How a file is split: into so many parts, or by words in the names of the tests, the rest being one more part."""


class ByCost(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands units of tests to processes in the order of the collection, which `order` has sorted."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False  # not by the number of tests
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def unit(nodeid: str) -> str:
    """The unit that a test belongs to: ``tests/cli/test_build.py``, or ``tests/corpus/test_catalog.py part 3``.

    Of a file that is split into a number of parts, tests with the same parameters share a part: they use the same fixtures.
    """
    file, _, test = nodeid.partition("::")
    parts = PARTS.get(file, ())
    if isinstance(parts, int):
        parameters = test.partition("[")[2] or test
        return f"{file} part {zlib.crc32(parameters.encode()) % parts + 1}"
    word = next((word for word in parts if word in test), "")
    return f"{file} {word}".rstrip()


def order(items: list[pytest.Item]) -> None:
    """Sort tests by the cost of their units, the most expensive first; within a unit they keep their order."""
    costs = json.loads(COSTS.read_text(encoding="utf-8"))
    tests = Counter(item.nodeid.partition("::")[0] for item in items)
    units = Counter(unit(item.nodeid) for item in items)

    def rank(item: pytest.Item) -> tuple[float, str]:
        file, name = item.nodeid.partition("::")[0], unit(item.nodeid)
        return -costs.get(file, CHEAP) * units[name] / tests[file], name

    items.sort(key=rank)


class CostMeter:
    """Adds up what each file's tests take, on the process that all reports come to."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.ran: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file = report.nodeid.partition("::")[0]
        self.seconds[file] += report.duration  # type: ignore[assignment]
        if report.when == "call":
            self.ran.add(file)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workerinput"):
            return
        known = json.loads(COSTS.read_text(encoding="utf-8"))
        kept = {file: cost for file, cost in known.items() if (session.config.rootpath / file).exists()}
        COSTS.write_text(written(renewed(kept, self.seconds, self.ran).items()), encoding="utf-8")


def renewed(known: Mapping[str, float], measured: Mapping[str, float], ran: Collection[str]) -> Mapping[str, float]:
    """The costs of files as they were measured, of the others those that were known."""
    return {**known, **{file: measured[file] for file in ran}}


def written(seconds: Iterable[tuple[str, float]]) -> str:
    """The content of ``costs.json``: one line for each file that is not cheap, the most expensive first."""
    listed = sorted(
        ((round(cost), file) for file, cost in seconds if round(cost) > CHEAP), key=lambda row: (-row[0], row[1])
    )
    return json.dumps({file: cost for cost, file in listed}, indent=2) + "\n"
