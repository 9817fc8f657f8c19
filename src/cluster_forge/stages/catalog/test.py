"""catalog test: the checks of a catalog's components, run for several components at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Final

from cluster_forge.catalog.component_format import ALL_SIZES
from cluster_forge.checks.exemption import subject
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.finding import Finding
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workers import Workers
from cluster_forge.stages.catalog.component_checks import BoundCheck, ComponentChecks, Result, Trial
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

STAGE: Final = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of a component's tests; ``summary`` names what was tested.

    ``findings`` have the trials that they are from; none for one that is from no trial in particular. ``sizes`` are
    `catalog.measurements` by size, for the newest tested version of Kubernetes that the component supports.
    """

    component: str
    summary: str
    findings: Mapping[Finding, tuple[Trial, ...]]
    sizes: Mapping[str, Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """As ``catalog test --format json`` prints it; the keys are part of the contract."""
        return {
            "component": self.component,
            "told": self.summary,
            "faults": [
                {
                    "rule": finding.code,
                    "object": subject(finding),
                    "message": finding.message,
                    "fix": finding.fix,
                    "trials": [asdict(trial) for trial in trials],
                }
                for finding, trials in self.findings.items()
            ],
            "sizes": self.sizes,
        }


def test(names: Sequence[str], trials: TrialRenderer, workers: Workers, reporter: Reporter) -> list[Verdict]:
    """Test components of the library of ``trials``.

    Raises:
        UnknownNameError, DescriptionError, ExceptionGroup: if a component does not exist, or its file is invalid.
    """
    library = trials.plans.library
    components = {name: ComponentChecks(library.component(name), trials) for name in names}
    checks = [(name, check) for name, component in components.items() for check in component.all()]
    progress = _Progress(reporter, Counter(name for name, _ in checks))

    def run(named: tuple[str, BoundCheck]) -> list[Result]:
        name, check = named
        progress.started(name)
        results = list(check())
        progress.finished(name, len(results))
        return results

    by_name: dict[str, list[Result]] = {name: [] for name in names}
    for (name, _), results in zip(checks, workers.map(run, checks), strict=True):
        by_name[name] += results
    reporter.stage_finished(STAGE, counted(len(names), "component"))
    return [
        Verdict(
            component=name,
            summary=component.summary,
            findings=_grouped(by_name[name]),
            sizes={size: component.measurements[size] for size in ALL_SIZES if size in component.measurements},
        )
        for name, component in components.items()
    ]


def _grouped(results: Iterable[Result]) -> dict[Finding, tuple[Trial, ...]]:
    trials: dict[Finding, dict[Trial, None]] = {}
    for finding, trial in results:
        of_finding = trials.setdefault(finding, {})
        if trial:
            of_finding[trial] = None
    return {finding: tuple(of_finding) for finding, of_finding in trials.items()}


class _Progress:
    """Reports each component when its first check starts and its last one finishes."""

    def __init__(self, reporter: Reporter, checks: Counter[str]) -> None:
        self._reporter = reporter
        self._left = checks.copy()
        self._findings: Counter[str] = Counter()
        self._started: set[str] = set()
        self._lock = Lock()
        reporter.stage_started(STAGE, len(checks))

    def started(self, name: str) -> None:
        with self._lock:
            is_first = name not in self._started
            self._started.add(name)
        if is_first:
            self._reporter.item_started(STAGE, name)

    def finished(self, name: str, findings: int) -> None:
        with self._lock:
            self._left[name] -= 1
            self._findings[name] += findings
            is_last = not self._left[name]
            total = self._findings[name]
        if is_last:
            self._reporter.item_finished(STAGE, name, counted(total, "finding") if total else "")
