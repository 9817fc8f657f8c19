"""Namespaces of the cluster let the stack's Pods in (Kubernetes, "Pod Security Admission").

The label ``pod-security.kubernetes.io/enforce`` of a namespace that exists, or that the stack gives it, refuses Pods, and not
the Deployments that make them: without this check nothing is ever refused, and nothing ever runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.checks.production import pod_security
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.stack.model import Size
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of

LOOKS_AT: Final = "the labels of namespaces"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "pod-security": "A namespace refuses the Pods of a workload.",
}
CODE: Final = pod_security.CODE
ENFORCE: Final = "pod-security.kubernetes.io/enforce"


def problems(situation: Situation) -> Iterator[Problem]:
    levels = _levels(situation)
    for manifest in situation.workloads:
        namespace = manifest.id.namespace
        level = levels.get(namespace, "")
        component = CheckedComponent.of((), size=Size.SMALL, level=level)
        findings = pod_security.findings(manifest, component) if level in ("baseline", "restricted") else ()
        if wrong := "; ".join(finding.message for finding in findings):
            yield Problem(
                code=CODE,
                message=f"namespace {namespace} enforces the Pod Security level {level}: {wrong}",
                where=str(manifest.id),
                fix="set `securityContext` in the values, or another level: "
                f"kubectl label namespace {namespace} --overwrite {ENFORCE}=privileged",
                option=f"--allow {CODE}",
            )


def _levels(situation: Situation) -> Mapping[str, str]:
    """The level of each namespace, as it will be: what the stack says goes over what is there."""
    levels = {name: labels_of(body).get(ENFORCE, "") for name, body in situation.namespaces.items()}
    if not situation.plan.narrowed:  # which leaves the labels of namespaces that exist
        for manifest in situation.manifests:
            if (manifest.id.group, manifest.id.kind) == ("", "Namespace"):
                levels[manifest.id.name] = labels_of(manifest.body).get(ENFORCE, levels.get(manifest.id.name, ""))
    return levels
