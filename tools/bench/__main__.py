"""Time mine, smelt, cast and forge of some descriptions, and Helm on the same charts, as ratios in one run.

Every round runs the commands of all cases, so that compared runs are close in time. Wall and CPU are in seconds (CPU: user
and system time of all processes), the peak is the memory of all processes of a command together, in MB. Medians of the
rounds are printed; every run is in build/bench.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tools.bench import helm
from tools.bench.cases import CASES, CATALOG, PROJECT, SHARED, Case, Step, matrix, run_case
from tools.bench.targets import Medians, targets


def main() -> int:
    options = _arguments()
    if not SHARED.is_dir():
        print(f"{SHARED} does not exist: its descriptions are skipped")
    if helm.HELM is None:
        print("helm is not installed: no comparison with it")
    cases = [case for case in CASES if case.is_available and (not options.cases or case.name in options.cases)]
    extra = ("--jobs", options.jobs) if options.jobs else ()
    steps: list[Step] = []
    failed: set[str] = set()
    start, longest = time.monotonic(), 0.0
    for number in range(options.runs):
        round_start = time.monotonic()
        if round_start - start + longest > options.budget:
            print(f"{number} of {options.runs} rounds: another would take longer than --budget {options.budget:g}")
            break
        for name, work in _round(cases, extra, is_first=number == 0):
            if name not in failed and not _succeeds(name, work, steps):
                failed.add(name)
        if number:  # the first round has the cases that run only once
            longest = max(longest, time.monotonic() - round_start)
    medians = Medians(steps)
    _print(medians)
    _write(steps, medians)
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    names = [case.name for case in CASES]
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"cases to run, of {' '.join(names)} (all)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="number of rounds (3)")
    parser.add_argument("--jobs", metavar="N", help="number of parallel jobs of cluster-forge")
    parser.add_argument(
        "--budget", type=float, default=300, metavar="SECONDS", help="start no round that would end later (300)"
    )
    options = parser.parse_args()
    unknown = set(options.cases) - set(names)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    return options


Work = Callable[[Path], Iterable[Step]]


def _round(cases: Sequence[Case], extra: Sequence[str], *, is_first: bool) -> Iterator[tuple[str, Work]]:
    """The work of a round by name. Slow cases are in the first round only."""
    for case in cases:
        if is_first or not case.heavy:
            yield case.name, lambda folder, case=case: run_case(case, folder, extra)  # type: ignore[misc] # mypy cannot infer a default's type
        if is_first and case.name == CATALOG:
            yield "catalog test", lambda folder: [matrix(folder, extra)]
        if helm.HELM and case.name == helm.STACK:
            yield "helm template", lambda folder: [helm.template(folder)]
            if is_first:
                yield "helm template and split", lambda folder: [helm.split(folder)]


def _succeeds(name: str, work: Work, steps: list[Step]) -> bool:
    """Run one piece of a round and add its steps; whether it succeeded."""
    with tempfile.TemporaryDirectory(prefix="cluster-forge-bench-") as folder:
        try:
            for step in work(Path(folder)):
                steps.append(step)
                print(f"{' '.join(step.key)}: {step.run.wall:.2f} s", file=sys.stderr, flush=True)
        except RuntimeError as error:
            print(f"{name} failed: {error}", file=sys.stderr)
            return False
    return True


def _print(medians: Medians) -> None:
    print(f"{'':<12}{'':<14}{'':<11}{'runs':>5}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'objects':>9}{'per second':>11}")
    last = ""
    for key in medians:
        case, verb, state = key
        wall, objects = medians.wall(key), medians.objects(key)
        rate = f"{objects:>9}{objects / wall:>11.0f}" if objects else ""
        line = f"{medians.rounds(key):>5}{wall:>9.2f}{medians.cpu(key):>9.2f}{medians.peak_mb(key):>9.0f}{rate}"
        print(f"{case if case != last else '':<12}{verb:<14}{state:<11}{line}")
        last = case
    for target in targets(medians):
        print(target)


def _write(steps: Sequence[Step], medians: Medians) -> None:
    report = {
        "schema": "cluster-forge/bench/v2",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "runs": [
            {
                "case": step.case,
                "verb": step.verb,
                "state": step.state,
                "wall": step.run.wall,
                "cpu": step.run.cpu,
                "peak_mb": step.run.peak_mb,
                "objects": step.objects,
            }
            for step in steps
        ],
        "targets": [
            {
                "what": target.what,
                "value": target.value,
                "limit": target.limit,
                "unit": target.unit,
                "reached": target.reached,
            }
            for target in targets(medians)
        ],
    }
    file = PROJECT / "build" / "bench.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"all runs: {file.relative_to(PROJECT)}")


if __name__ == "__main__":
    sys.exit(main())
