"""A control of the Pod Security Standards, and what a Pod does against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cluster_forge.checks.security.pod_template import ContainerPlace, PodTemplate, Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, where in the object, and in which container; None for the Pod itself."""

    message: str
    steps: Steps
    container: ContainerPlace | None = None


Judge = Callable[[PodTemplate, int], Iterator[Problem]]
"""What a Pod does against a control, by the standards of a minor version of Kubernetes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A control by the name that the standards give it."""

    name: str
    judge: Judge


def of_pod(pod: PodTemplate, message: str, *steps: str | int) -> Problem:
    """A problem of the Pod itself, at a field of its spec."""
    return Problem(message=message, steps=(*pod.steps, *steps))


def of_container(container: ContainerPlace, message: str, *steps: str | int) -> Problem:
    """A problem of a container, at one of its fields."""
    return Problem(message=message, steps=(*container.steps, *steps), container=container)
