"""Pods keep the Pod Security level of their namespace, and reach the node only where a namespace says so.

An error where the namespace enforces a level: the API server takes the workload, and refuses all of its Pods. A warning where a
Pod does not keep the level baseline in a namespace that names none: nothing says that this is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.security import pod_standards
from cluster_forge.checks.security.namespaces import EnforcedLevel, enforced_levels
from cluster_forge.checks.security.pod_standards import ENFORCE, Level, Violation
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "pod-security"
_SHOWN: Final = 4
_NEWEST: Final = 36
_OF_THE_CLUSTER: Final = frozenset(("kube-system", "kube-public", "kube-node-lease"))
"""Namespaces that every cluster has, with Pods that reach the node."""


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    levels = enforced_levels(checked)
    for manifest in checked.manifests:
        for pod in PodTemplate.of(manifest):
            yield from _of_pod(manifest, pod, levels.get(manifest.id.namespace), checked.minor)


def _of_pod(manifest: Manifest, pod: PodTemplate, enforced: EnforcedLevel | None, minor: int) -> Iterator[Finding]:
    if enforced:
        wrong = pod_standards.beyond(pod, enforced.level, enforced.minor)
        if pod.is_custom:  # what is only missing may be what its controller sets
            wrong = [violation for violation in wrong if violation.level is Level.BASELINE]
        yield from _refused(manifest, wrong, enforced.level, f"namespace {manifest.id.namespace}")
    elif manifest.id.namespace not in _OF_THE_CLUSTER:
        yield from _undeclared(manifest, pod_standards.beyond(pod, Level.BASELINE, minor))


def of_component(manifest: Manifest, level: str) -> Iterator[Finding]:
    """What keeps the Pods of an object from the level of its component, by the newest standards."""
    yield from _refused(manifest, beyond(manifest, level), level, "the component")


def beyond(manifest: Manifest, level: str) -> list[Violation]:
    """What keeps the Pods of an object from a level, by the newest standards; nothing for an object without Pods."""
    return [violation for pod in PodTemplate.of(manifest) for violation in pod_standards.beyond(pod, level, _NEWEST)]


def _refused(manifest: Manifest, wrong: Sequence[Violation], level: str, place: str) -> Iterator[Finding]:
    if wrong:
        message = f"{place} has level {level}, which does not allow it: {listed(wrong)}"
        fix = f"set `securityContext` in the values, or a level that allows it (`podSecurity`, or the label {ENFORCE})"
        yield report.error(manifest, CODE, message, fix=fix, field=field_path.text(wrong[0].steps))


def _undeclared(manifest: Manifest, wrong: Sequence[Violation]) -> Iterator[Finding]:
    if wrong:
        place = f"namespace {manifest.id.namespace}" if manifest.id.namespace else "its namespace"
        message = f"its Pods reach the node, and {place} names no level: {listed(wrong)}"
        fix = f"change it in the values; if it is meant, label the namespace {ENFORCE}=privileged (`podSecurity: privileged`)"
        yield report.warning(manifest, CODE, message, fix=fix, field=field_path.text(wrong[0].steps))


def listed(wrong: Sequence[Violation]) -> str:
    """What is wrong with the Pods of one object: ``sets hostPID; container web: is privileged, adds capabilities NET_RAW``."""
    by_container: dict[str, list[str]] = {}
    for violation in wrong:
        of_one = by_container.setdefault(violation.container, [])
        if violation.message not in of_one:
            of_one.append(violation.message)
    return "; ".join(
        (f"container {name}: " if name else "") + _shortened(messages) for name, messages in by_container.items()
    )


def _shortened(messages: Sequence[str]) -> str:
    more = len(messages) - _SHOWN
    return ", ".join((*messages[:_SHOWN], *((f"and {more} more",) if more > 0 else ())))
