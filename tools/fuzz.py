"""Fuzz the readers of foreign bytes: 100,000 inputs over all targets of `tests/fuzz`, each target in its own process.

An input fails if anything but a typed error of its target escapes, if it takes more than 5 s of CPU time, or if the process
exceeds 1 GB or dies. It is saved in ``build/fuzz/``; ``--replay FILE`` tries it again. Exit code 1: an input failed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from tests.fuzz import trial  # noqa: E402 - the project's root must be on the path first
from tests.fuzz.target import Target  # noqa: E402
from tests.fuzz.targets import TARGETS  # noqa: E402
from tests.fuzz.trial import HEAD, Part, Tally, Trial  # noqa: E402

FOLDER = PROJECT / "build" / "fuzz"
SHARED = Path(os.environ.get("CLUSTER_FORGE_SHARED") or PROJECT.parent / "shared").resolve()
MOST_SECONDS = 240.0
"""Seconds for one target."""
MOST_DEATHS = 20
"""Deaths of a target's process after which the rest of its inputs is skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run: the number of inputs over all targets, the monotonic time of its end, and the number of parallel processes."""

    targets: Sequence[Target]
    inputs: int
    end: float
    seed: int
    processes: int
    corpus: bool

    def part(self, target: Target) -> Part:
        share = target.share / sum(other.share for other in self.targets)
        return Part(
            seed=self.seed,
            inputs=max(1, round(self.inputs * share) + 1),
            seconds=self.end - time.monotonic(),
            corpus=SHARED if self.corpus and SHARED.is_dir() else None,
        )


def main() -> int:
    options = arguments()
    if options.child:
        return child(options.child)
    FOLDER.mkdir(parents=True, exist_ok=True)
    if options.replay:
        return replay(options.replay)
    plan = Plan(
        targets=[TARGETS[name] for name in options.target or TARGETS],
        inputs=options.inputs,
        end=time.monotonic() + options.seconds,
        seed=options.seed if options.seed is not None else int(time.time()) % 1_000_000,
        processes=options.processes,
        corpus=not options.no_corpus,
    )
    print(f"seed {plan.seed}{', with the corpus' if plan.corpus and SHARED.is_dir() else ''}")
    with ThreadPoolExecutor(plan.processes) as pool:
        tallies = list(pool.map(lambda target: fuzzed(target, plan), plan.targets))
    return report(plan, tallies)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=102_000, help="number of inputs over all targets (102000)")
    parser.add_argument("--seconds", type=float, default=560, help="start no input later (560)")
    parser.add_argument("--seed", type=int, help="seed of the inputs (default: from the clock)")
    parser.add_argument("--processes", type=int, default=2, help="targets in parallel (2)")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="fuzz this target only (repeatable)")
    parser.add_argument("--no-corpus", action="store_true", help="do not use files of the directory `shared` as seeds")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try a saved input again")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def fuzzed(target: Target, plan: Plan) -> Tally:
    """The tally of one target: process after process, until its inputs or its time are used up."""
    whole, part = Tally(), plan.part(target)
    end = min(plan.end, time.monotonic() + MOST_SECONDS)
    deaths = skip = 0
    while not whole.done and deaths < MOST_DEATHS:
        rest = Part(
            seed=part.seed, inputs=part.inputs, skip=skip, seconds=max(1, end - time.monotonic()), corpus=part.corpus
        )
        tally, died = one_process(target, rest)
        whole.add(tally)
        whole.done = tally.done
        skip += tally.inputs
        deaths += died
    print(f"  {target.name}: {whole.inputs:,} inputs, {len(whole.failures)} failures", flush=True)
    return whole


def one_process(target: Target, part: Part) -> tuple[Tally, bool]:
    """The tally of one process until it finished, became too large, or died; whether it died."""
    with tempfile.TemporaryDirectory(prefix="cluster-forge-fuzz-") as folder:
        current = Path(folder, "current")
        task = json.dumps(
            {
                "target": target.name,
                "current": str(current),
                **{name: getattr(part, name) for name in ("seed", "inputs", "skip", "seconds")},
                "corpus": str(part.corpus) if part.corpus else None,
            }
        )
        answer = Path(folder, "answer")
        with answer.open("w") as out, Path(folder, "errors").open("w+") as errors:
            process = subprocess.Popen([sys.executable, __file__, "--child", task], stdout=out, stderr=errors)
            why = watched(process, current)
            errors.seek(0)
            stderr = errors.read()[-3000:]
        content = answer.read_text()
        if content:
            return trial.from_json(json.loads(content)), False
        return dead(target, current, why or f"exit code {process.returncode}", stderr), True


def watched(process: subprocess.Popen[bytes], current: Path) -> str:
    """Wait for the process, and kill it if it takes too long or too much memory. The reason if it was killed."""
    number, start = -1, 0.0
    while process.poll() is None:
        megabytes, seconds = used(process.pid)
        now = tried(current)
        if now != number or now < 0:
            number, start = now, seconds
        why = ""
        if megabytes > trial.MOST_MB * 1.05:
            why = f"{megabytes:.0f} MB of memory"
        elif seconds - start > trial.PATIENCE:
            why = f"longer than {trial.PATIENCE:.0f} s"
        if why:
            process.send_signal(signal.SIGUSR1)  # it writes its stacks
            time.sleep(0.3)
            process.kill()
            process.wait()
            return why
        time.sleep(0.02)
    return ""


def used(pid: int) -> tuple[float, float]:
    """Megabytes of resident memory and CPU seconds of a process; zeros on systems without /proc."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    except (OSError, IndexError):
        return 0, 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def tried(current: Path) -> int:
    """The number of the input that a process is trying; -1 between two inputs."""
    try:
        with current.open("rb") as file:
            head = file.read(HEAD.size)
    except OSError:
        return -1
    is_busy, number = HEAD.unpack(head)[:2] if len(head) == HEAD.size else (False, 0)
    return int(number) if is_busy else -1


def dead(target: Target, current: Path, why: str, stderr: str) -> Tally:
    """The tally of a process that died before it could write one."""
    content = current.read_bytes() if current.exists() else b""
    if len(content) < HEAD.size:
        raise SystemExit(f"{target.name} cannot start ({why}):\n{stderr}")
    _, number, name, length = HEAD.unpack_from(content)
    data = content[HEAD.size : HEAD.size + length]
    stacks = current.with_suffix(".stacks").read_text()
    file = trial.saved(FOLDER, target.name, name.decode(), data)
    return Tally(inputs=number + 1, outcomes=Counter({f"FAILED {why}": 1}), failures={file: f"{why}\n{stderr}{stacks}"})


def child(task: str) -> int:
    fields = json.loads(task)
    target = TARGETS[fields["target"]]
    part = Part(
        **{name: fields[name] for name in ("seed", "inputs", "skip", "seconds")},
        corpus=Path(fields["corpus"]) if fields["corpus"] else None,
    )
    tally = trial.run(Trial(target, FOLDER, Path(fields["current"])), target, part)
    print(json.dumps(trial.to_json(tally)))
    return 0


def replay(file: Path) -> int:
    """Try one saved input; the file is named after its target."""
    target = TARGETS[file.name.partition("@")[0]]
    with tempfile.TemporaryDirectory(prefix="cluster-forge-fuzz-") as folder:
        single = Trial(target, FOLDER, Path(folder, "current"))
        with contextlib.suppress(MemoryError):
            single.one(file.read_bytes(), file.name)
        tally = single.tally
    print(f"{', '.join(tally.outcomes)} in {tally.slowest_ms:.0f} ms, {tally.peak_mb:.0f} MB")
    for failure in tally.failures.values():
        print(failure)
    return 1 if tally.failures else 0


def report(plan: Plan, tallies: Sequence[Tally]) -> int:
    print(f"\n{'target':<14}{'inputs':>9}{'seconds':>9}{'slowest ms':>12}{'peak MB':>9}  outcomes")
    for target, tally in zip(plan.targets, tallies, strict=True):
        outcomes = ", ".join(f"{name} {count:,}" for name, count in tally.outcomes.most_common(6))
        print(
            f"{target.name:<14}{tally.inputs:>9,}{tally.seconds:>9.1f}{tally.slowest_ms:>12,.0f}{tally.peak_mb:>9.0f}  "
            f"{outcomes} (slowest: {tally.slowest})"
        )
    whole = sum(tally.inputs for tally in tallies)
    failures = {file: text for tally in tallies for file, text in tally.failures.items()}
    print(f"{'all':<14}{whole:>9,}{sum(tally.seconds for tally in tallies):>9.1f}  {len(failures)} failures")
    for file, text in failures.items():
        print(f"\n{file}: {text}\n  again: make fuzz FUZZ_ARGS='--replay {Path(file).relative_to(PROJECT)}'")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
