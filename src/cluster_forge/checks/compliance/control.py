"""A control of a benchmark or guideline, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cluster_forge.checks.compliance.evidence import Evidence
from cluster_forge.manifests.manifest import Manifest

Judge = Callable[[Evidence], list[Manifest]]
"""The objects that do not keep a control."""


class Verdict(StrEnum):
    """``UNDECIDABLE``: nothing in a stack's objects says it."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDABLE = "not decidable from manifests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A control by its number, in our own words. Without a ``judge`` it is about the cluster, and not about what runs in it."""

    number: str
    title: str
    judge: Judge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a control; ``objects`` are those that do not keep it."""

    control: Control
    verdict: Verdict
    objects: tuple[Manifest, ...] = ()


def judged(control: Control, evidence: Evidence, is_wanted: Callable[[Manifest], bool]) -> Result:
    """The result of a control for the objects of a stack that are wanted."""
    if control.judge is None:
        return Result(control=control, verdict=Verdict.UNDECIDABLE)
    failing = {id(manifest): manifest for manifest in control.judge(evidence) if is_wanted(manifest)}
    objects = tuple(failing.values())
    return Result(control=control, verdict=Verdict.FAILED if objects else Verdict.PASSED, objects=objects)
