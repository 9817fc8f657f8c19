"""The stack on several minors of Kubernetes: rendered and checked for each, with the sources that are locked now."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.finding import Finding
from cluster_forge.ports.progress import Reporter
from cluster_forge.record import Record
from cluster_forge.stack.model import KubernetesVersion, Stack
from cluster_forge.stages.build import finding_policy
from cluster_forge.stages.build.input_fingerprint import fingerprint
from cluster_forge.stages.check import fresh_objects, rendered_ahead
from cluster_forge.stages.check.check_request import CheckRequest
from cluster_forge.stages.toolbox import Toolbox

_RANGE: Final = re.compile(r"1\.(\d{1,3})(?:\.\.1\.(\d{1,3}))?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFindings:
    """The findings about the stack on one minor (36 of Kubernetes 1.36); ``failure`` is why it has none."""

    minor: int
    findings: tuple[Finding, ...] = ()
    failure: str = ""

    def of(self, component: ComponentName) -> Sequence[Finding]:
        return [finding for finding in self.findings if finding.component == component]


def minors(text: str) -> tuple[int, ...]:
    """The minors of ``1.29..1.36`` or ``1.33``.

    Raises:
        ValueError: for anything else, or a minor that is not known.
    """
    known = kubernetes_apis.minors()
    match = _RANGE.match(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not match or first > last or first < known[0] or last > known[-1]:
        raise ValueError(f"{text!r} is not a range such as 1.29..1.36, within 1.{known[0]}..1.{known[-1]}")
    return tuple(range(first, last + 1))


def matrix(
    request: CheckRequest, minors: Sequence[int], toolbox: Toolbox, reporter: Reporter
) -> tuple[VersionFindings, ...]:
    """The findings for each minor, hand edits not included. A minor for which nothing can be rendered says why."""
    first, *others = (replace(request, stack=_on(request.stack, minor)) for minor in minors)
    of_first, record = _one(first, toolbox, reporter)
    if others and record and not request.ignore_cache:  # what is rendered ahead comes from the cache
        rendered_ahead.render(others, record, toolbox, reporter)
    return (of_first, *(_one(other, toolbox, reporter)[0] for other in others))


def _one(request: CheckRequest, toolbox: Toolbox, reporter: Reporter) -> tuple[VersionFindings, Record | None]:
    """The findings for the minor of a request, and what they are about; None if nothing can be rendered."""
    stack = request.stack
    minor = stack.target.kubernetes.minor
    inputs = fingerprint(stack, request.sources, request.lock, toolbox)
    try:
        own, record = fresh_objects.checked(request, inputs, None, toolbox, reporter)
    except ForgeError as error:
        return VersionFindings(minor=minor, failure=str(error)), None
    except ExceptionGroup as group:
        failures, others = group.split(ForgeError)
        if others or not failures:
            raise
        return VersionFindings(minor=minor, failure="; ".join(map(str, _leaves(failures)))), None
    findings = finding_policy.apply((*request.notices, *own), stack.finding_policy, request.allow)
    return VersionFindings(minor=minor, findings=findings), record


def _on(stack: Stack, minor: int) -> Stack:
    """The stack for a minor; the target's own version is kept, with its patch and suffix."""
    if stack.target.kubernetes.minor == minor:
        return stack
    return replace(stack, target=replace(stack.target, kubernetes=KubernetesVersion(1, minor)))


def _leaves(group: BaseExceptionGroup[ForgeError]) -> Iterator[ForgeError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def differing(columns: Sequence[VersionFindings]) -> Mapping[int, tuple[Finding, ...]]:
    """For each minor the findings that not all minors have that can be rendered, wherever their objects come from."""
    sets = [set(map(placeless, column.findings)) for column in columns if not column.failure]
    everywhere = set.intersection(*sets) if sets else set()
    return {
        column.minor: tuple(finding for finding in column.findings if placeless(finding) not in everywhere)
        for column in columns
    }


def placeless(finding: Finding) -> Finding:
    """The finding as such: an object of the sourced tree has another place than the one that is rendered."""
    return replace(finding, where="")
