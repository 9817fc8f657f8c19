"""Namespaces of the cluster let the stack's Pods in (Kubernetes, "Pod Security Admission").

The label ``pod-security.kubernetes.io/enforce`` of a namespace that exists, or that the stack gives it, refuses Pods, and not
the Deployments that make them: without this check nothing is ever refused, and nothing ever runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.checks.security import pod_security, pod_standards
from cluster_forge.checks.security.namespaces import EnforcedLevel, enforced_level
from cluster_forge.checks.security.pod_standards import ENFORCE
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of

LOOKS_AT: Final = "the labels of namespaces"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "pod-security": "A namespace refuses the Pods of a workload.",
}
CODE: Final = pod_security.CODE


def problems(situation: Situation) -> Iterator[Problem]:
    levels = _levels(situation)
    for manifest in situation.workloads:
        namespace = manifest.id.namespace
        enforced = levels.get(namespace)
        if enforced is None:
            continue
        for pod in PodTemplate.of(manifest):
            if wrong := pod_standards.beyond(pod, enforced.level, enforced.minor):
                yield Problem(
                    code=CODE,
                    message=f"namespace {namespace} enforces the Pod Security level {enforced.level}: {pod_security.listed(wrong)}",
                    where=str(manifest.id),
                    fix="set `securityContext` in the values, or another level: "
                    f"kubectl label namespace {namespace} --overwrite {ENFORCE}=privileged",
                    option=f"--allow {CODE}",
                )


def _levels(situation: Situation) -> Mapping[str, EnforcedLevel | None]:
    """The level of each namespace, as it will be: what the stack says goes over what is there."""
    minor = situation.cluster.about().minor or situation.plan.kubernetes.minor
    labels = {name: labels_of(body) for name, body in situation.namespaces.items()}
    if not situation.plan.narrowed:  # which leaves the labels of namespaces that exist
        for manifest in situation.manifests:
            if (manifest.id.group, manifest.id.kind) == ("", "Namespace"):
                labels[manifest.id.name] = {**labels.get(manifest.id.name, {}), **labels_of(manifest.body)}
    return {name: enforced_level(of_one, minor) for name, of_one in labels.items()}
