"""Time mine, smelt, cast and forge of some descriptions, and Helm on the same charts, as ratios in one run.

All cases are taken through their commands in each round, so that what is compared was run close together. Wall and CPU
are seconds (CPU: user and system, every process that took part), the peak is the memory that all processes of a
command held at once, in MB. Medians of the rounds are printed; every run is in build/bench.json.
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
from tools.bench.cases import CASES, CATALOG, PROJECT, SHARED, Case, Step, matrix, through
from tools.bench.targets import Medians, targets


def main() -> int:
    chosen = _arguments()
    if not SHARED.is_dir():
        print(f"{SHARED} is not there: its descriptions are left out")
    if helm.HELM is None:
        print("helm is not there: nothing is compared with it")
    cases = [case for case in CASES if case.is_there and (not chosen.cases or case.name in chosen.cases)]
    extra = ("--jobs", chosen.jobs) if chosen.jobs else ()
    steps: list[Step] = []
    failed: set[str] = set()
    start, longest = time.monotonic(), 0.0
    for number in range(chosen.runs):
        began = time.monotonic()
        if began - start + longest > chosen.budget:
            print(f"{number} of {chosen.runs} rounds: another would take longer than --budget {chosen.budget:g}")
            break
        for name, work in _round(cases, extra, is_first=number == 0):
            if name not in failed and not _done(name, work, steps):
                failed.add(name)
        if number:  # the first one holds what is run only once
            longest = max(longest, time.monotonic() - began)
    medians = Medians(steps)
    _tell(medians)
    _write(steps, medians)
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    names = [case.name for case in CASES]
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {' '.join(names)}; all of them")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="rounds (3)")
    parser.add_argument("--jobs", metavar="N", help="passed on to cluster-forge")
    parser.add_argument(
        "--budget", type=float, default=300, metavar="SECONDS", help="begin no round that ends later (300)"
    )
    chosen = parser.parse_args()
    unknown = set(chosen.cases) - set(names)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    return chosen


Work = Callable[[Path], Iterable[Step]]


def _round(cases: Sequence[Case], extra: Sequence[str], *, is_first: bool) -> Iterator[tuple[str, Work]]:
    """The pieces of a round, by the name of what they time. What takes long is in the first one only."""
    for case in cases:
        if is_first or not case.heavy:
            yield case.name, lambda folder, case=case: through(case, folder, extra)  # type: ignore[misc] # mypy cannot infer a default's type
        if is_first and case.name == CATALOG:
            yield "catalog test", lambda folder: [matrix(folder, extra)]
        if helm.HELM and case.name == helm.STACK:
            yield "helm template", lambda folder: [helm.template(folder)]
            if is_first:
                yield "helm template and split", lambda folder: [helm.split(folder)]


def _done(name: str, work: Work, steps: list[Step]) -> bool:
    """Do a piece of a round; whether it went well."""
    with tempfile.TemporaryDirectory(prefix="cluster-forge-bench-") as folder:
        try:
            for step in work(Path(folder)):
                steps.append(step)
                print(f"{' '.join(step.key)}: {step.run.wall:.2f} s", file=sys.stderr, flush=True)
        except RuntimeError as error:
            print(f"{name} failed: {error}", file=sys.stderr)
            return False
    return True


def _tell(medians: Medians) -> None:
    print(f"{'':<12}{'':<14}{'':<11}{'runs':>5}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'objects':>9}{'a second':>10}")
    last = ""
    for key in medians:
        case, verb, state = key
        wall, objects = medians.wall(key), medians.objects(key)
        made = f"{objects:>9}{objects / wall:>10.0f}" if objects else ""
        line = f"{medians.rounds(key):>5}{wall:>9.2f}{medians.cpu(key):>9.2f}{medians.peak_mb(key):>9.0f}{made}"
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
            {"what": each.what, "value": each.value, "limit": each.limit, "unit": each.unit, "reached": each.reached}
            for each in targets(medians)
        ],
    }
    file = PROJECT / "build" / "bench.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"all runs: {file.relative_to(PROJECT)}")


if __name__ == "__main__":
    sys.exit(main())
