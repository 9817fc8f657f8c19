"""Time a cold ``forge`` of the starter and of the descriptions in ../shared, and Helm on the same charts.

Each run starts in a new workspace with an empty store. Wall and CPU are seconds (user and system, workers included), the
peak is the resident memory of the largest single process in MB. The median of the runs is printed, all of them are
written to ``build/bench.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.executable).parent / "cluster-forge"
SHARED = Path(os.environ.get("CLUSTER_FORGE_SHARED") or PROJECT.parent / "shared").resolve()
HELM = shutil.which("helm") or shutil.which("helm", path=Path.home() / "go" / "bin")
KIB_IN_MB = 1024 if sys.platform != "darwin" else 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One description: ``source`` is copied to ``input/``; none means that ``init`` writes it."""

    name: str
    source: Path | None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    wall: float
    cpu: float
    peak_mb: float


MIRROR = ("--mirror", str(SHARED / "mirror"))
FAULTY = ("rabbitmq-airm-config", "keycloak", "kueue-onenode", "kyverno-onenode", "prometheus")
"""What is wrong in v1-input itself: two components without manifests, three that bring others' objects once more."""

CASES = (
    Case(name="starter", source=None),
    Case(name="prd", source=SHARED / "stacks/prd/input", arguments=MIRROR),
    Case(name="everything", source=SHARED / "stacks/everything/input", arguments=MIRROR),
    Case(name="v1-input", source=SHARED / "v1-input", arguments=tuple(f"--skip={name}" for name in FAULTY)),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"of {', '.join(case.name for case in CASES)}; all of them"
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", help="passed on to cluster-forge")
    chosen = parser.parse_args()
    unknown = set(chosen.cases) - {case.name for case in CASES}
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    if not SHARED.is_dir():
        print(f"{SHARED} is not there: only the starter is timed")
    results: dict[str, list[Run]] = {}
    failed = []
    print(f"{'case':<24}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}   median of {chosen.runs}, cold store and workspace")
    for case in CASES:
        if (chosen.cases and case.name not in chosen.cases) or (case.source and not case.source.is_dir()):
            continue
        extra = ("--jobs", chosen.jobs) if chosen.jobs else ()
        try:
            results[case.name] = [forge(case, extra) for _ in range(chosen.runs)]
        except RuntimeError as error:
            failed.append(case.name)
            print(f"{case.name:<24}   failed: {error}")
            continue
        tell(case.name, results[case.name])
    if HELM and "everything" in results:
        compare_with_helm(results, chosen.runs)
    write(results)
    return 1 if failed else 0


def forge(case: Case, extra: Sequence[str]) -> Run:
    """One cold run.

    Raises:
        RuntimeError: if the program fails.
    """
    with tempfile.TemporaryDirectory(prefix="cluster-forge-bench-") as folder:
        workspace, store = Path(folder) / "workspace", Path(folder) / "store"
        workspace.mkdir()
        if case.source is None:
            measure([PROGRAM, "-C", workspace, "init", "--yes", "--quiet"])
        else:
            shutil.copytree(case.source, workspace / "input", copy_function=shutil.copyfile)
        return measure(
            [PROGRAM, "-C", workspace, "forge", "--offline", "--store", store, "--quiet", *case.arguments, *extra]
        )


def measure(command: Sequence[str | Path]) -> Run:
    """Run a program to its end.

    Raises:
        RuntimeError: if its exit code is not 0.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CLUSTER_FORGE_", "PYTHON"))
    }
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            last = output.read().decode("utf-8", "replace").strip()[-2000:]
            raise RuntimeError(f"exit code {process.returncode}\n{last}")
    return Run(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak_mb=usage.ru_maxrss / KIB_IN_MB)


def compare_with_helm(results: dict[str, list[Run]], runs: int) -> None:
    """``helm template``, one by one, for the charts of ``stacks/everything`` with their values."""
    with tempfile.TemporaryDirectory(prefix="cluster-forge-bench-") as folder:
        commands = list(helm_commands(Path(folder)))
        name = f"helm template × {len(commands)}"
        rounds = [[measure(command) for command in commands] for _ in range(runs)]
    results[name] = [
        Run(
            wall=sum(run.wall for run in round_),
            cpu=sum(run.cpu for run in round_),
            peak_mb=max(run.peak_mb for run in round_),
        )
        for round_ in rounds
    ]
    tell(name, results[name])
    ours, theirs = (statistics.median(run.wall for run in results[key]) for key in ("everything", name))
    print(f"the whole forge of everything takes {ours / theirs:.2f} × the time of rendering alone with helm")


def helm_commands(folder: Path) -> Iterator[list[str]]:
    description = yaml.safe_load((SHARED / "stacks/everything/input/config.yaml").read_text(encoding="utf-8"))
    index = yaml.safe_load((SHARED / "mirror/index.yaml").read_text(encoding="utf-8"))
    files = {
        (chart["repository"].rstrip("/"), chart["name"], chart["version"]): chart["file"] for chart in index["charts"]
    }
    for component in description["components"]:
        helm: dict[str, Any] | None = component.get("helm")
        if not helm:
            continue
        values = folder / f"{component['name']}.json"
        values.write_text(json.dumps(component.get("values") or {}), encoding="utf-8")
        file = files[helm["repository"].rstrip("/"), helm["chart"], helm["version"]]
        yield [
            str(HELM), "template", helm.get("release", component["name"]), str(SHARED / "mirror" / file),
            "--namespace", component["namespace"], "--values", str(values), "--include-crds", "--skip-tests",
            "--kube-version", str(description["target"]["kubernetes"]),
        ]  # fmt: skip


def tell(name: str, runs: Sequence[Run]) -> None:
    wall, cpu, peak = (statistics.median(getattr(run, field) for run in runs) for field in ("wall", "cpu", "peak_mb"))
    print(f"{name:<24}{wall:>9.2f}{cpu:>9.2f}{peak:>9.0f}", flush=True)


def write(results: dict[str, list[Run]]) -> None:
    report = {
        "schema": "cluster-forge/bench/v1",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "runs": {name: [asdict(run) for run in runs] for name, runs in results.items()},
    }
    target = PROJECT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"all runs: {target.relative_to(PROJECT)}")


if __name__ == "__main__":
    sys.exit(main())
