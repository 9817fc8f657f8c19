"""The Pod Security Standards: each control that a Pod does not keep, as Kubernetes' own admission judges it.

Source: kubernetes.io/docs/concepts/security/pod-security-standards. `host_controls` has the controls of the level baseline,
`hardening_controls` those that restricted adds; their names are those of the standards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cluster_forge.checks.security import hardening_controls, host_controls
from cluster_forge.checks.security.pod_template import PodTemplate, Steps


class Level(StrEnum):
    """A level of the standards; each allows less than the one before it."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"


ENFORCE: Final = "pod-security.kubernetes.io/enforce"
"""The label of a namespace that names the level which its Pods must keep."""
ENFORCE_VERSION: Final = "pod-security.kubernetes.io/enforce-version"
"""The label of a namespace that names the version of the standards: ``v1.33``, ``latest``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A control that a Pod does not keep: ``message`` says what is wrong, ``steps`` lead to the field in the object.

    ``container`` is the container's name, empty where the Pod itself is meant; ``level`` is the least strict level with the control.
    """

    control: str
    level: Level
    container: str
    message: str
    steps: Steps


def violations(pod: PodTemplate, minor: int) -> Iterator[Violation]:
    """What keeps a Pod from the level restricted, by the standards of a minor version of Kubernetes; baseline's controls first."""
    for level, module in ((Level.BASELINE, host_controls), (Level.RESTRICTED, hardening_controls)):
        for control in module.CONTROLS:
            for problem in control.judge(pod, minor):
                yield Violation(
                    control=control.name,
                    level=level,
                    container=problem.container.name if problem.container else "",
                    message=problem.message,
                    steps=problem.steps,
                )


def beyond(pod: PodTemplate, level: str, minor: int) -> list[Violation]:
    """What a namespace with a level would refuse; nothing for a level that is none."""
    match level:
        case Level.RESTRICTED:
            return list(violations(pod, minor))
        case Level.BASELINE:
            return [violation for violation in violations(pod, minor) if violation.level is Level.BASELINE]
        case _:
            return []


def strictest(pod: PodTemplate, minor: int) -> Level:
    """The strictest level that a Pod keeps."""
    levels = {violation.level for violation in violations(pod, minor)}
    if Level.BASELINE in levels:
        return Level.PRIVILEGED
    return Level.BASELINE if levels else Level.RESTRICTED
