"""One operator answers for an API group: two installations of the same one undo each other's changes.

Known by what is certain: the same image (without its registry and tag), started by two components, with cluster-wide rights to
write custom resources of the same group, and not restricted to some namespaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.cluster_roles import ClusterRoles, Rule
from cluster_forge.checks.workloads import Workload
from cluster_forge.foundation.names import ComponentName
from cluster_forge.foundation.untyped import mapping, sequence, texts
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "duplicate-provider"
_RBAC: Final = "rbac.authorization.k8s.io"
_WRITING: Final = frozenset({"create", "update", "patch", "*"})
_SOME_NAMESPACES: Final = re.compile(r"--?[a-z-]*namespaces?(-selector)?=\S")
_WATCHED: Final = "WATCH_NAMESPACE"
_Account = tuple[str, str]


def findings(checked: CheckedStack) -> Iterator[Finding]:
    groups_of = _written_groups(checked)
    first_of: dict[tuple[str, str], Manifest] = {}
    named: set[tuple[ComponentName, ComponentName]] = set()
    for workload in checked.workloads:
        account = (workload.namespace, str(workload.pod.get("serviceAccountName") or "default"))
        groups = groups_of.get(account)
        if not groups or not workload.is_lasting or _looks_at_some(workload):
            continue
        manifest = workload.manifest
        shared: dict[ComponentName, tuple[Manifest, list[str]]] = {}
        for group in sorted(groups):
            for image in sorted(workload.image_names):
                first = first_of.setdefault((image, group), manifest)
                shared.setdefault(first.provenance.component, (first, []))[1].append(group)
        for component, (first, both) in shared.items():
            pair = component, manifest.provenance.component
            if component != manifest.provenance.component and pair not in named:
                named.add(pair)
                yield _finding(manifest, first, sorted({*both}))


def _finding(manifest: Manifest, other: Manifest, groups: list[str]) -> Finding:
    return report.warning(
        manifest,
        CODE,
        f"is the same operator as {other.id} of {other.provenance.component}: both answer for {', '.join(groups)} in all namespaces",
        fix="leave one of the two out, or let each look at namespaces of its own by the values of its chart",
    )


def _written_groups(checked: CheckedStack) -> dict[_Account, set[str]]:
    """The API groups of the stack's CRDs whose objects a ServiceAccount may write everywhere."""
    custom = {group for group, _ in checked.scopes.custom}
    roles = ClusterRoles(checked.of_kind[_RBAC, "ClusterRole"])
    groups: dict[_Account, set[str]] = {}
    for binding in checked.of_kind[_RBAC, "ClusterRoleBinding"]:
        written = _groups(roles.rules(str(mapping(binding.body.get("roleRef")).get("name")))) & custom
        for subject in map(mapping, sequence(binding.body.get("subjects"))) if written else ():
            if subject.get("kind") == "ServiceAccount":
                account = (str(subject.get("namespace")), str(subject.get("name")))
                groups.setdefault(account, set()).update(written)
    return groups


def _groups(rules: Iterable[Rule]) -> set[str]:
    """The groups that rules let write, by name; ``*`` among them."""
    return {
        group
        for rule in rules
        if not _WRITING.isdisjoint(texts(rule.get("verbs")))
        for group in texts(rule.get("apiGroups"))
    }


def _looks_at_some(workload: Workload) -> bool:
    """Whether its arguments or variables name the namespaces that it looks at."""
    return any(
        any(isinstance(text, str) and _SOME_NAMESPACES.match(text) for text in _arguments(container))
        or any(
            _WATCHED in str(variable.get("name")) and variable.get("value", True) for variable in _variables(container)
        )
        for container in workload.containers
    )


def _arguments(container: Mapping[str, Any]) -> list[Any]:
    return [*sequence(container.get("command")), *sequence(container.get("args"))]


def _variables(container: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [mapping(variable) for variable in sequence(container.get("env"))]
