"""The rounds of a run: what is measured in each of them, in one folder that is removed at the end.

What a command wrote stays until then: ext4 without a journal looks through the recently deleted inodes whenever a file is
created, so that removing a workspace would make the next commands slower.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools.bench import cases, delivery, helm, network
from tools.bench.cases import CASES, CATALOG
from tools.bench.steps import Step

_NEEDED_GB = 3
"""What must be free before each piece of work: more than any of them writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A piece of a round, by name; ``is_once``: in the first round only."""

    name: str
    steps: Callable[[Path], Iterable[Step]]
    is_once: bool = False


def full(names: Collection[str], extra: Sequence[str]) -> Iterator[Work]:
    """`mine` over a network and every verb of the cases with these names, Helm beside the one that has its charts, and
    deliveries.
    """
    yield from _start()
    chosen = [case for case in CASES if case.is_available and case.name in names]
    if chosen:
        yield Work(name="mine over a network", steps=partial(network.mine, extra=extra))
    for case in chosen:
        yield Work(name=case.name, steps=partial(cases.run_case, case, extra=extra), is_once=case.heavy)
        if case.name == CATALOG:
            yield Work(name="catalog test", steps=partial(cases.matrix, extra=extra), is_once=True)
        if case.name == helm.STACK and helm.HELM:
            yield from _helm()
            yield Work(name="helm template and split", steps=helm.split, is_once=True)
    for one in delivery.DELIVERIES:
        if one.case in names:
            yield Work(name=one.case, steps=partial(delivery.steps, one), is_once=True)


def quick(extra: Sequence[str]) -> Iterator[Work]:
    """What fits into a minute: `forge` of the case with Helm's charts, Helm, and what is fast."""
    yield from _start()
    for case in CASES:
        if case.name == helm.STACK and case.is_available:
            yield Work(name=case.name, steps=partial(cases.run_quickly, case, extra=extra))
            yield from _helm()


def _start() -> Iterator[Work]:
    yield Work(name="warm up", steps=cases.warm_up, is_once=True)
    yield Work(name="--help", steps=cases.starts)


def _helm() -> Iterator[Work]:
    if helm.HELM:
        yield Work(name="helm template one by one", steps=helm.one_by_one)
        yield Work(name="helm template on all cores", steps=helm.all_cores)


def measure(works: Sequence[Work], *, runs: int, budget: float) -> tuple[list[Step], set[str]]:
    """The steps of at most ``runs`` rounds, and the names of the works that failed.

    No round starts that would end more than ``budget`` seconds after the first one started.
    """
    steps: list[Step] = []
    failed: set[str] = set()
    start, longest = time.monotonic(), 0.0
    with tempfile.TemporaryDirectory(prefix="cluster-forge-bench-") as name:
        folder = Path(name)
        _say(f"workspaces and stores stay in {folder} until the end; {_free_gb(folder):.0f} GB are free there")
        for number in range(runs):
            round_start = time.monotonic()
            if round_start - start + longest > budget:
                _say(f"{number} of {runs} rounds: another would take longer than --budget {budget:g}")
                break
            for work in works:
                is_due = number == 0 or not work.is_once
                if (
                    is_due
                    and work.name not in failed
                    and not _succeeds(work, folder / f"{number}-{_plain(work.name)}", steps)
                ):
                    failed.add(work.name)
            if number:  # the first round has what runs only once
                longest = max(longest, time.monotonic() - round_start)
        _say(f"{_free_gb(folder):.0f} GB are left; removing {folder}")
    return steps, failed


def _plain(name: str) -> str:
    """The name without commas: kubectl takes the value of ``--filename`` for a list."""
    return name.replace(",", "")


def _succeeds(work: Work, folder: Path, steps: list[Step]) -> bool:
    """Do one piece of work and add its steps; whether it succeeded."""
    folder.mkdir()
    os.sync()  # so that the system does not write what earlier work left while this is measured
    try:
        if _free_gb(folder) < _NEEDED_GB:
            raise RuntimeError(f"less than {_NEEDED_GB} GB are free; TMPDIR names another folder")
        for step in work.steps(folder):
            steps.append(step)
            _say(f"{' '.join(step.key)}: {step.run.wall:.2f} s")
    except RuntimeError as error:
        _say(f"{work.name} failed: {error}")
        return False
    return True


def _free_gb(folder: Path) -> float:
    return shutil.disk_usage(folder).free / 2**30


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
