"""One process's part of a run: inputs of one target tried one by one, with a tally of the outcomes."""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import os
import random
import resource
import signal
import struct
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

import hypothesis
from tests.fuzz.mutation import mutated
from tests.fuzz.target import Target

HEAD: Final = struct.Struct(">?Q50pQ")
"""Before the current input in its file: whether it is being tried now, how many were before it, name and length."""
PATIENCE: Final = 5.0
"""CPU seconds for one input; wall-clock time may be longer on a busy machine."""
LONGEST: Final = 60.0
"""Wall-clock seconds for one input, also on a busy machine."""
MOST_MB: Final = 1000
_STRUCTURED = 0.15
_MOST_STRUCTURED = 500
"""Hypothesis takes up to 30 ms for one; these inputs are then changed at random, as the seeds are."""
_RENEW_MB: Final = 600
_MB = 1024 if sys.platform != "darwin" else 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Tally:
    """The outcomes so far; ``failures`` are tracebacks by the file that the input was saved in."""

    inputs: int = 0
    seconds: float = 0.0
    slowest_ms: float = 0.0
    slowest: str = ""
    peak_mb: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    done: bool = False

    def add(self, other: Tally) -> None:
        self.inputs += other.inputs
        self.seconds += other.seconds
        if other.slowest_ms > self.slowest_ms:
            self.slowest_ms, self.slowest = other.slowest_ms, other.slowest
        self.peak_mb = max(self.peak_mb, other.peak_mb)
        self.outcomes.update(other.outcomes)
        self.failures.update(other.failures)


class Trial:
    """Tries inputs; the file ``current`` holds the one that is being tried, for the parent process, also if this one dies."""

    def __init__(self, target: Target, folder: Path, current: Path) -> None:
        self._target = target
        self._folder = folder
        self._current = os.open(current, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        self._stacks: TextIO = current.with_suffix(".stacks").open("w+")
        faulthandler.register(signal.SIGUSR1, file=self._stacks)
        self.tally = Tally()

    def one(self, data: bytes, name: str) -> None:
        """Try one input.

        Raises:
            MemoryError: if the process has become too large; the tally is complete.
        """
        os.pwrite(self._current, HEAD.pack(True, self.tally.inputs, name.encode(), len(data)) + data, 0)
        faulthandler.dump_traceback_later(LONGEST, exit=True, file=self._stacks)
        start = time.process_time()
        try:
            outcome = self._target.outcome(data)
        except Exception as error:  # noqa: BLE001 - finding these is the purpose
            outcome = f"FAILED {type(error).__name__}"
            self._failed(data, name, error)
        seconds = time.process_time() - start
        faulthandler.cancel_dump_traceback_later()
        os.pwrite(self._current, b"\0", 0)
        if seconds > PATIENCE:
            self._failed(data, name, TimeoutError(f"{seconds:.1f} s"))
        self.tally.inputs += 1
        self.tally.seconds += seconds
        self.tally.outcomes[outcome] += 1
        if seconds * 1000 > self.tally.slowest_ms:
            self.tally.slowest_ms, self.tally.slowest = seconds * 1000, name
        self.tally.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB
        if self.tally.peak_mb > _RENEW_MB:
            if self.tally.peak_mb > MOST_MB:
                self._failed(data, name, MemoryError(f"{self.tally.peak_mb:.0f} MB"))
            raise MemoryError

    def _failed(self, data: bytes, name: str, error: Exception) -> None:
        """Save the input, one per kind of failure."""
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{frame.filename}:{frame.lineno}" for frame in frames if "cluster_forge" in frame.filename]
        kind = f"{type(error).__name__} {places[-1:]}"
        shown = "".join(traceback.format_exception(error, limit=-12))[-6000:]
        if any(kind in known for known in self.tally.failures.values()):
            return
        self.tally.failures[saved(self._folder, self._target.name, name, data)] = f"{kind}\n{shown}"


def saved(folder: Path, target: str, name: str, data: bytes) -> str:
    """Save an input in a file named after its target."""
    path = folder / f"{target}@{name.replace(' ', '-')}-{hashlib.sha256(data).hexdigest()[:10]}.input"
    path.write_bytes(data)
    return str(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The work of one process: ``inputs`` inputs from ``seed``, the first ``skip`` of which were tried before."""

    seed: int
    inputs: int
    skip: int = 0
    seconds: float
    corpus: Path | None = None


def run(trial: Trial, target: Target, part: Part) -> Tally:
    """Try the target's hostile inputs, then the others, until they or the seconds are used up."""
    end = time.monotonic() + part.seconds
    tally = trial.tally
    large = 0
    with contextlib.suppress(MemoryError):
        for large, (name, data) in enumerate(target.hostile(), 1):
            if large > part.skip:
                trial.one(data, name)
        for name, data in inputs(target, part, part.inputs - max(0, part.skip - large)):
            trial.one(data, name)
            if time.monotonic() > end:
                break
        tally.done = True
    return tally


def inputs(target: Target, part: Part, number: int) -> Iterator[tuple[str, bytes]]:
    """Inputs by Hypothesis, then those and the seeds with random changes: the same for the same part."""
    seeds = [*target.seeds, *(target.corpus(part.corpus) if part.corpus else ())]
    seed = part.seed + part.skip
    structured = min(_MOST_STRUCTURED, max(1, round(number * _STRUCTURED)))
    generated = examples(target, seed, structured) if number > 0 else []
    yield from (("odd", data) for data in (target.odd if not part.skip else ()))
    yield from (("by Hypothesis", data) for data in generated)
    choose = random.Random(seed)
    pool = [*seeds, *target.odd, *generated]
    for _ in range(number - len(generated)):
        yield "mutated", mutated(choose, pool if choose.random() < 0.5 else seeds)


def examples(target: Target, seed: int, number: int) -> list[bytes]:
    """Examples of the target's strategy: the same for the same seed."""
    generated: list[bytes] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(target.inputs)
    def collect(data: bytes) -> None:
        generated.append(data)

    collect()
    return generated[:number]


def to_json(tally: Tally) -> dict[str, Any]:
    return {name: getattr(tally, name) for name in Tally.__dataclass_fields__}


def from_json(content: dict[str, Any]) -> Tally:
    return Tally(**{**content, "outcomes": Counter(content["outcomes"])})
