"""What a run prints and keeps: its medians and figures as text, as JSON, and as Markdown for ``docs/performance.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.bench.history import Conditions
from tools.bench.measure import Run
from tools.bench.steps import Key, Medians, Step
from tools.bench.targets import Figure, figures
from tools.tables import table

_SCHEMA = "cluster-forge/bench/v4"
_VERDICTS = {True: "reached", False: "missed", None: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All runs, with the commit and the conditions under which they were measured."""

    commit: str
    conditions: Conditions
    steps: Sequence[Step]

    @property
    def medians(self) -> Medians:
        return Medians(self.steps)

    @property
    def figures(self) -> list[Figure]:
        return list(figures(self.medians))

    def text(self) -> Iterator[str]:
        """The lines of a table of the commands, and of one of the figures."""
        medians = self.medians
        yield f"{'':<27}{'':<14}{'':<11}{'runs':>5}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'objects':>9}{'per second':>11}"
        last = ""
        for key in medians:
            case, verb, state = key
            wall, objects = medians.wall(key), medians.objects(key)
            rate = f"{objects:>9}{objects / wall:>11.0f}" if objects else ""
            line = f"{medians.runs(key):>5}{wall:>9.2f}{medians.cpu(key):>9.2f}{medians.peak_mb(key):>9.0f}{rate}"
            yield f"{case if case != last else '':<27}{verb:<14}{state:<11}{line}"
            last = case
        yield ""
        for figure in self.figures:
            yield f"{_VERDICTS[figure.reached]:<9}{figure.measured():>9}  {figure.target():<18} {figure.name}"

    def json(self) -> str:
        runs = [
            {
                "case": step.case,
                "verb": step.verb,
                "state": step.state,
                "wall": step.run.wall,
                "cpu": step.run.cpu,
                "peak_mb": step.run.peak_mb,
                "objects": step.objects,
                "requests": step.requests,
            }
            for step in self.steps
        ]
        judged = [{**asdict(figure), "reached": figure.reached} for figure in self.figures]
        head = {"schema": _SCHEMA, "commit": self.commit, "conditions": asdict(self.conditions)}
        return json.dumps({**head, "runs": runs, "figures": judged}, indent=2, ensure_ascii=False) + "\n"

    def markdown(self) -> Iterator[str]:
        """The lines of the same two tables."""
        here = self.conditions
        yield f"{here.cores} cores, {here.system}, Python {here.python}, Helm {here.helm}, commit {self.commit}:"
        yield ""
        medians = self.medians
        rows = (
            [_command(key), f"{medians.wall(key):.2f}", f"{medians.cpu(key):.2f}", f"{medians.peak_mb(key):,.0f}"]
            for key in medians
        )
        yield from table(["command", "wall s", "CPU s", "peak MB"], rows)
        yield ""
        verdicts = (
            [figure.name, figure.measured(), figure.target() or "–", _VERDICTS[figure.reached] or "–"]
            for figure in self.figures
        )
        yield from table(["figure", "measured", "target", "verdict"], verdicts)


def load(file: Path) -> Report:
    """The report of the last run.

    Raises:
        SystemExit: if there is none in this schema.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise SystemExit(f"{file}: {error}: run `make bench`") from error
    if not isinstance(found, dict) or found.get("schema") != _SCHEMA:
        raise SystemExit(f"{file}: its schema is not {_SCHEMA}: run `make bench` again")
    steps = [
        Step(
            case=run["case"],
            verb=run["verb"],
            state=run["state"],
            run=Run(wall=run["wall"], cpu=run["cpu"], peak_mb=run["peak_mb"]),
            objects=run["objects"],
            requests=run["requests"],
        )
        for run in found["runs"]
    ]
    return Report(commit=found["commit"], conditions=Conditions(**found["conditions"]), steps=steps)


def _command(key: Key) -> str:
    case, verb, state = key
    return f"{case}: `{verb}`{f', {state}' if state else ''}"
