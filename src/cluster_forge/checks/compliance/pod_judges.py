"""What controls ask of Pods that the Pod Security Standards ask, too."""

from __future__ import annotations

from cluster_forge.checks.compliance.control import Judge
from cluster_forge.checks.compliance.evidence import Evidence
from cluster_forge.checks.security.pod_standards import Level
from cluster_forge.manifests.manifest import Manifest


def violating(*controls: str, message: str = "") -> Judge:
    """A judge that looks for violations of controls of the standards, by their names there and a part of the message."""

    def judge(evidence: Evidence) -> list[Manifest]:
        return evidence.violating(*controls, message=message)

    return judge


def of_standard(name: str, level: Level) -> Judge:
    """A judge that looks for violations of one control of one level."""

    def judge(evidence: Evidence) -> list[Manifest]:
        return [
            workload.manifest
            for workload in evidence.workloads
            if any(violation.control == name and violation.level is level for violation in workload.violations)
        ]

    return judge


def reaching_the_node(evidence: Evidence) -> list[Manifest]:
    """The workloads that reach the node."""
    return [
        workload.manifest
        for workload in evidence.workloads
        if any(violation.level is Level.BASELINE for violation in workload.violations)
    ]
