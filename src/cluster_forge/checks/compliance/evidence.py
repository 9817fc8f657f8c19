"""What the objects of a stack show about its security, computed once for all controls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.security import grants, pod_standards, rights
from cluster_forge.checks.security.grants import Grant
from cluster_forge.checks.security.namespaces import EnforcedLevel, enforced_levels
from cluster_forge.checks.security.pod_standards import Violation
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.checks.security.rights import Right
from cluster_forge.manifests.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Workload:
    """An object with Pods, and the controls of the Pod Security Standards that these do not keep."""

    manifest: Manifest
    pod: PodTemplate
    violations: Sequence[Violation]


class Evidence:
    """A checked stack with what several controls ask for."""

    def __init__(self, checked: CheckedStack) -> None:
        self.checked = checked

    @cached_property
    def workloads(self) -> Sequence[Workload]:
        pods = ((manifest, pod) for manifest in self.checked.manifests for pod in PodTemplate.of(manifest))
        minor = self.checked.minor
        return [Workload(manifest, pod, list(pod_standards.violations(pod, minor))) for manifest, pod in pods]

    @cached_property
    def grants(self) -> Sequence[Grant]:
        return grants.of(self.checked)

    @cached_property
    def levels(self) -> Mapping[str, EnforcedLevel | None]:
        return enforced_levels(self.checked)

    @cached_property
    def _by_right(self) -> Mapping[Right, Sequence[Manifest]]:
        places: defaultdict[Right, list[Manifest]] = defaultdict(list)
        for grant in self.grants:
            for right in {right for rule in grant.rules for right in rights.of(rule)} if grant.subjects else ():
                places[right].append(grant.role or grant.binding)
        return places

    def with_right(self, *wanted: Right) -> list[Manifest]:
        """The roles and bindings that give one of the rights to anyone, in the whole cluster or in a namespace."""
        return [place for right in wanted for place in self._by_right.get(right, ())]

    def violating(self, *controls: str, message: str = "") -> list[Manifest]:
        """The workloads that do not keep one of the controls of the Pod Security Standards, as ``message`` says."""
        return [
            workload.manifest
            for workload in self.workloads
            if any(violation.control in controls and message in violation.message for violation in workload.violations)
        ]
