"""All components that use a namespace ask for the same Pod Security level of it.

A namespace has one ``pod-security.kubernetes.io/enforce`` label: an object in the stack sets it, or else the least strict
level that its components ask for (``podSecurity``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.label_selector import labels_of

CODE: Final = "namespace-conflict"
ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_LEVELS: Final = ("restricted", "baseline", "privileged")
_FIELD: Final = field_path.text(("metadata", "labels", ENFORCE))


def findings(checked: CheckedStack) -> Iterator[Finding]:
    wanted = _wanted(checked)
    for namespace in checked.of_kind["", "Namespace"]:
        level = labels_of(namespace.body.get("metadata")).get(ENFORCE, "")
        stricter = {name: asked for name, asked in wanted[namespace.id.name].items() if _is_stricter(level, asked)}
        for name, asked in sorted(stricter.items()):
            yield report.warning(
                namespace,
                CODE,
                f"enforces the Pod Security level {level}, and {name} asks for {asked}: its Pods may be refused",
                fix=f"give {name} a namespace of its own, or set the label to {asked} where the namespace is defined",
                field=_FIELD,
            )


def _wanted(checked: CheckedStack) -> dict[str, dict[ComponentName, str]]:
    """By namespace, the level that each component with objects in it asks for."""
    levels = {
        component.name: component.pod_security for component in checked.stack.components if component.pod_security
    }
    wanted: defaultdict[str, dict[ComponentName, str]] = defaultdict(dict)
    for workload in checked.workloads:
        name = workload.manifest.provenance.component
        if name in levels:
            wanted[workload.namespace][name] = levels[name]
    return wanted


def _is_stricter(level: str, asked: str) -> bool:
    return level in _LEVELS and asked in _LEVELS and _LEVELS.index(level) < _LEVELS.index(asked)
