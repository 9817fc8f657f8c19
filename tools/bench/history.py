"""The figures of former runs, one line of JSON for each run, and what got worse since.

The file is tracked, so that the next person who runs `make bench` sees what a change cost. Lines of two branches are merged
by keeping both (``.gitattributes``); no line names a machine or a folder.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tools.bench.targets import Figure

FILE = Path(__file__).with_name("history.jsonl")
WORSE = 0.1
"""What is worse by this part is reported."""

_COMPARED = 3
"""The number of former runs whose median counts."""

_DIRTY = "-dirty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What two runs must have in common to be compared."""

    form: str
    cores: int
    python: str
    system: str
    helm: str

    @classmethod
    def here(cls, *, form: str, helm: str) -> Self:
        """Those of this machine; ``form`` is ``full`` or ``quick``, ``helm`` the version of the program."""
        return cls(
            form=form,
            cores=os.cpu_count() or 1,
            python=".".join(platform.python_version_tuple()[:2]),
            system=f"{platform.system()} {platform.machine()}",
            helm=helm,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One run: when (UTC), of which commit (``-dirty``: with changes), where, and its figures by name."""

    date: str
    commit: str
    conditions: Conditions
    figures: Mapping[str, float]

    @classmethod
    def of(cls, figures: Iterable[Figure], conditions: Conditions, commit: str) -> Self:
        comparable = {figure.name: float(f"{figure.value:.4g}") for figure in figures if figure.is_comparable}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(date=now, commit=commit, conditions=conditions, figures=comparable)

    @classmethod
    def read(cls, line: str) -> Self:
        """An entry from its line.

        Raises:
            ValueError: if it is not an entry.
        """
        try:
            found = json.loads(line)
            figures = {str(name): float(value) for name, value in found["figures"].items()}
            conditions = Conditions(**found["conditions"])
            entry = cls(date=str(found["date"]), commit=str(found["commit"]), conditions=conditions, figures=figures)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(str(error)) from error
        if not all(math.isfinite(value) and value > 0 for value in figures.values()):
            raise ValueError("a figure is not a positive number")
        return entry

    @property
    def is_clean(self) -> bool:
        return not self.commit.endswith(_DIRTY)

    def line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A figure that is worse than ``before``, the median of former runs up to ``commit``."""

    figure: Figure
    before: float
    commit: str

    def __str__(self) -> str:
        percent = self.figure.worsening(self.before) * 100
        before = self.figure.text(self.before)
        return (
            f"worse by {percent:.0f} %: {self.figure.name}: {self.figure.measured()}, was {before} up to {self.commit}"
        )


def load(file: Path) -> list[Entry]:
    """The entries, oldest first; none if there is no file.

    Raises:
        SystemExit: if a line is not an entry.
    """
    if not file.exists():
        return []
    entries = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entries.append(Entry.read(line))
        except ValueError as error:
            raise SystemExit(f"{file}:{number}: not an entry ({error}): remove the line") from error
    return sorted(entries, key=lambda entry: entry.date)


def append(entry: Entry, file: Path) -> None:
    with file.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(entry.line())


def comparable(entries: Iterable[Entry], conditions: Conditions) -> list[Entry]:
    """The clean runs under the same conditions."""
    return [entry for entry in entries if entry.is_clean and entry.conditions == conditions]


def regressions(figures: Iterable[Figure], former: Sequence[Entry]) -> Iterator[Regression]:
    """The figures that are worse by `WORSE` than the median of the last of the former runs that have them."""
    for figure in figures:
        last = [entry for entry in former if figure.name in entry.figures][-_COMPARED:]
        if last and figure.is_comparable:
            before = statistics.median(entry.figures[figure.name] for entry in last)
            if figure.worsening(before) >= WORSE:
                yield Regression(figure=figure, before=before, commit=last[-1].commit)


def commit(history: Path) -> str:
    """The commit that is checked out, with ``-dirty`` if another file than the history differs from it."""
    try:
        revision = _git(history.parent, "rev-parse", "--short=12", "HEAD")
        changes = _git(history.parent, "status", "--porcelain", "--", f":(exclude){history.name}")
    except (OSError, subprocess.CalledProcessError):
        return f"unknown{_DIRTY}"
    return f"{revision}{_DIRTY}" if changes else revision


def _git(folder: Path, *arguments: str) -> str:
    command = ("git", "-C", str(folder), *arguments)
    return subprocess.run(
        command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout.strip()
