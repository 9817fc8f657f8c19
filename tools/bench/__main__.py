"""Time mine, smelt, cast and forge of some descriptions, and Helm on the same charts, as ratios in one run.

Every round runs the commands of all cases, so that compared runs are close in time. Wall and CPU are in seconds (CPU: user
and system time of all processes), the peak is the memory of all processes of a command together, in MB. Medians of the
rounds are printed; every run is in build/bench.json, the figures of all former runs are in tools/bench/history.jsonl.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence

from tools.bench import delivery, helm, history, report, rounds
from tools.bench.cases import CASES, PROJECT, SHARED

from cluster_forge.foundation.names import counted

_REPORT = PROJECT / "build" / "bench.json"
_BUSY = 0.5
"""The load for each core above which other programs disturb the run."""

_SLOW_SECONDS = 360
"""How long ext4 without a journal looks through inodes that were deleted: RECENTCY_MIN and RECENTCY_DIRTY of Linux."""


def main() -> int:
    options = arguments(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # folders are removed on the way out
    if options.table:
        print("\n".join(report.load(_REPORT).markdown()))
        return 0
    try:
        return run(options)
    except KeyboardInterrupt:
        sys.exit("interrupted: nothing was recorded")


def arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    own, delivered = [case.name for case in CASES], [one.case for one in delivery.DELIVERIES]
    names = [*own, *delivered]
    chosen = "all but deliveries through an engine"
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"cases to run, of {' '.join(names)} ({chosen})")
    parser.add_argument("--quick", action="store_true", help=f"{helm.STACK} only, in under a minute")
    parser.add_argument("--runs", type=int, metavar="N", help="number of rounds (3; with --quick 1)")
    parser.add_argument("--jobs", metavar="N", help="number of parallel jobs of cluster-forge; not recorded")
    parser.add_argument(
        "--budget", type=float, default=300, metavar="SECONDS", help="start no round that would end later (300)"
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit code 1 if a figure is worse than before by 10 percent or more"
    )
    parser.add_argument("--table", action="store_true", help="print the last run as Markdown, and measure nothing")
    options = parser.parse_args(given)
    if options.quick and options.cases:
        parser.error("--quick has a case of its own")
    if unknown := set(options.cases) - set(names):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    options.cases = options.cases or [*own, *([] if delivery.problems() else delivery.DIRECT)]
    options.runs = options.runs or (1 if options.quick else 3)
    return options


def run(options: argparse.Namespace) -> int:
    conditions = history.Conditions.here(form="quick" if options.quick else "full", helm=helm.version())
    former = history.comparable(history.load(history.FILE), conditions)
    commit = history.commit(history.FILE)
    _warn()
    extra = ("--jobs", options.jobs) if options.jobs else ()
    works = rounds.quick(extra) if options.quick else rounds.full(options.cases, extra)
    steps, failed = rounds.measure(list(works), runs=options.runs, budget=options.budget)
    done = report.Report(commit=commit, conditions=conditions, steps=steps)
    print("\n".join(done.text()))
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text(done.json(), encoding="utf-8")
    print(f"all runs: {os.path.relpath(_REPORT)}")
    if failed or options.jobs:
        print(f"not recorded: {'a case failed' if failed else '--jobs was given'}")
        return 1 if failed else 0
    worse = list(history.regressions(done.figures, former))
    history.append(history.Entry.of(done.figures, conditions, commit), history.FILE)
    compared = f"compared with {counted(len(former), 'run')} under the same conditions"
    print(f"recorded: {os.path.relpath(history.FILE)}; {compared}", *worse, sep="\n")
    return 1 if worse and options.strict else 0


def _warn() -> None:
    """Say what keeps this run from being complete or reliable."""
    if not SHARED.is_dir():
        print(f"{SHARED} does not exist: its descriptions are skipped")
    if helm.HELM is None:
        print("helm is not installed: no comparison with it")
    for problem in delivery.problems():
        print(f"no delivery to a test cluster: {problem}")
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > _BUSY * cores:
        print(f"other programs are running (load {load:.1f} on {cores} cores): times of this run are not reliable")
    if _REPORT.exists() and (seconds := time.time() - _REPORT.stat().st_mtime) < _SLOW_SECONDS:
        print(f"the last run ended {seconds:.0f} s ago: creating files may be slow until {_SLOW_SECONDS} s after it")


if __name__ == "__main__":
    sys.exit(main())
