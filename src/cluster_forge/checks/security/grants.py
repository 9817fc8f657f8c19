"""Who may do what: the rules that the bindings of a stack give to ServiceAccounts, groups and users.

Source: kubernetes.io/docs/reference/access-authn-authz/rbac. Roles that nothing binds give no rights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.cluster_roles import ClusterRoles, rules_of
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.manifest import Manifest

GROUP: Final = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A ServiceAccount with its namespace, a Group or a User."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The rules of a role, for the subjects of a binding; ``namespace`` is empty where they hold in the whole cluster.

    ``role`` is None where the stack has no such role: every cluster has it, or another stack brings it.
    """

    binding: Manifest
    role_kind: str
    role_name: str
    role: Manifest | None
    namespace: str
    subjects: tuple[Subject, ...]
    rules: tuple[Mapping[str, Any], ...]


def of(checked: CheckedStack) -> Sequence[Grant]:
    """What the bindings of a stack grant, in the order of the bindings."""
    roles = {
        (manifest.id.kind, manifest.id.namespace, manifest.id.name): manifest
        for kind in ("ClusterRole", "Role")
        for manifest in checked.of_kind.get((GROUP, kind), ())
    }
    cluster_roles = ClusterRoles(manifest for manifest in checked.of_kind.get((GROUP, "ClusterRole"), ()))
    bindings = [
        binding for kind in ("ClusterRoleBinding", "RoleBinding") for binding in checked.of_kind.get((GROUP, kind), ())
    ]
    return [_grant(binding, roles, cluster_roles) for binding in bindings]


def _grant(binding: Manifest, roles: Mapping[tuple[str, str, str], Manifest], cluster_roles: ClusterRoles) -> Grant:
    reference = mapping(binding.body.get("roleRef"))
    kind, name = str(reference.get("kind")), str(reference.get("name"))
    namespace = binding.id.namespace if binding.id.kind == "RoleBinding" else ""
    role = roles.get((kind, namespace if kind == "Role" else "", name))
    rules = cluster_roles.rules(name) if kind == "ClusterRole" else rules_of(role.body) if role else ()
    return Grant(
        binding=binding,
        role_kind=kind,
        role_name=name,
        role=role,
        namespace=namespace,
        subjects=tuple(_subjects(binding)),
        rules=tuple(rules),
    )


def _subjects(binding: Manifest) -> Iterator[Subject]:
    for subject in map(mapping, sequence(binding.body.get("subjects"))):
        kind, name = str(subject.get("kind")), str(subject.get("name"))
        namespace = str(subject.get("namespace") or binding.id.namespace) if kind == "ServiceAccount" else ""
        yield Subject(kind=kind, namespace=namespace, name=name)
