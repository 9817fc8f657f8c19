"""What workloads may do, and which of them handle a kind of custom resource: by the roles of their ServiceAccounts.

Who writes the ``status`` or the ``finalizers`` of a kind is its controller (Kubernetes, "API conventions": only controllers
write a status).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.graph.edge import Edge, Reason
from cluster_forge.graph.reference import Reference, Strength, Target
from cluster_forge.graph.workloads import Workloads
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest

_GROUP: Final = "rbac.authorization.k8s.io"
BINDINGS: Final = ((_GROUP, "RoleBinding"), (_GROUP, "ClusterRoleBinding"))
_WRITING: Final = frozenset({"update", "patch", "*"})
_ACCOUNT: Final = "ServiceAccount"

Kind = tuple[str, str]


def bound(
    bindings: Sequence[Manifest], references: Mapping[ObjectId, Sequence[Reference]], workloads: Workloads
) -> Iterator[tuple[Manifest, Target, Manifest]]:
    """Each binding with its role and a workload that gets its rights."""
    for binding in bindings:
        named = references.get(binding.id, ())
        roles = [one.target for one in named if one.field == "roleRef.name"]
        accounts = [one.target for one in named if one.kind == _ACCOUNT]
        for role in roles:
            yield from ((binding, role, one) for account in accounts for one in workloads.running_as(account))


def edges(bound: Sequence[tuple[Manifest, Target, Manifest]]) -> Iterator[Edge]:
    """From workloads to the bindings that give them rights."""
    for binding, _, workload in bound:
        yield Edge(source=workload, target=binding, reason=Reason.ALLOWED_BY, strength=Strength.PREFERRED)


def controllers(
    bound: Sequence[tuple[Manifest, Target, Manifest]],
    objects: Mapping[Target, Manifest],
    definitions: Mapping[Kind, Manifest],
    kinds: Collection[Kind],
) -> Mapping[Kind, Sequence[Manifest]]:
    """The workloads that handle each of ``kinds``, those in the component of the CRD alone where there are any."""
    plurals: defaultdict[str, dict[str, Kind]] = defaultdict(dict)
    for kind in kinds:
        plural, _, group = definitions[kind].id.name.partition(".")
        plurals[group][plural] = kind
    handled: defaultdict[Kind, dict[ObjectId, Manifest]] = defaultdict(dict)
    roles = {role: _kinds(objects[role], plurals) for _, role, _ in bound if role in objects}
    for _, role, workload in bound:
        for kind in roles.get(role, ()):
            handled[kind][workload.id] = workload
    return {kind: _nearest(list(workloads.values()), definitions[kind]) for kind, workloads in handled.items()}


def _nearest(workloads: list[Manifest], definition: Manifest) -> list[Manifest]:
    own = [one for one in workloads if one.provenance.component == definition.provenance.component]
    return own or workloads


def _kinds(role: Manifest, plurals: Mapping[str, Mapping[str, Kind]]) -> list[Kind]:
    """The kinds whose status or finalizers the role lets write."""
    written: dict[Kind, None] = {}
    for rule in map(mapping, sequence(role.body.get("rules"))):
        if not _WRITING & _texts(rule.get("verbs")):
            continue
        resources = _texts(rule.get("resources"))
        for group in _texts(rule.get("apiGroups")):
            for plural, kind in plurals.get(group, {}).items():
                if resources & {f"{plural}/status", f"{plural}/finalizers", "*/status", "*"}:
                    written[kind] = None
    return list(written)


def _texts(value: Any) -> frozenset[str]:
    return frozenset(text for text in sequence(value) if isinstance(text, str))
