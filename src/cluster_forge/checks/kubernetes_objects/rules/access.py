"""Roles and their bindings (``pkg/apis/rbac/validation``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.kubernetes_objects.problem import Problem, Rule, shown
from cluster_forge.foundation.untyped import mapping, sequence

_GROUP: Final = "rbac.authorization.k8s.io"


def policy_rule(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    given = [name for name in ("apiGroups", "resources", "resourceNames") if sequence(value.get(name))]
    if sequence(value.get("nonResourceURLs")):
        if given:
            yield Problem(
                steps=(given[0],), message=f"nonResourceURLs does not go with {given[0]}", fix="make two rules of them"
            )
        return
    for name in ("apiGroups", "resources"):
        if not sequence(value.get(name)):
            fix = 'set apiGroups ([""] is the core API)' if name == "apiGroups" else "set resources"
            yield Problem(steps=(name,), message=f"{name} is missing", fix=fix)


def role(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    for number, rule in enumerate(sequence(value.get("rules"))):
        if sequence(mapping(rule).get("nonResourceURLs")):
            steps = ("rules", number, "nonResourceURLs")
            yield Problem(steps=steps, message="a Role has no nonResourceURLs", fix="write a ClusterRole")


def cluster_role(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    aggregation = value.get("aggregationRule")
    if isinstance(aggregation, Mapping) and not sequence(aggregation.get("clusterRoleSelectors")):
        steps = ("aggregationRule", "clusterRoleSelectors")
        yield Problem(steps=steps, message="clusterRoleSelectors is missing", fix="add one, or remove aggregationRule")


def subjects(*, is_namespaced: bool) -> Rule:
    def rule(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
        for number, entry in enumerate(sequence(value.get("subjects"))):
            for problem in _subject(mapping(entry), is_namespaced=is_namespaced):
                yield problem.below("subjects", number)

    return rule


def _subject(subject: Mapping[str, Any], *, is_namespaced: bool) -> Iterator[Problem]:
    group = subject.get("apiGroup")
    if subject.get("kind") == "ServiceAccount":
        if group not in (None, ""):
            message = f"a ServiceAccount is of the core API, not of {shown(group)}"
            yield Problem(steps=("apiGroup",), message=message, fix='remove apiGroup, or write ""')
        if not is_namespaced and subject.get("namespace") in (None, ""):
            message = f"namespace of the ServiceAccount {shown(subject.get('name'))} is missing"
            fix = "write the account's namespace: the rights are those of that account"
            yield Problem(steps=("namespace",), message=message, fix=fix)
    elif subject.get("kind") in ("User", "Group") and group not in (None, "", _GROUP):
        yield Problem(steps=("apiGroup",), message=f"{shown(group)} is not {_GROUP}", fix=f"write {_GROUP}")


def cluster_role_only(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if mapping(value.get("roleRef")).get("kind") == "Role":
        message = "a ClusterRoleBinding names a ClusterRole, not a Role"
        yield Problem(steps=("roleRef", "kind"), message=message, fix="write a RoleBinding, or name a ClusterRole")


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "rbac.v1.ClusterRole": (cluster_role,),
    "rbac.v1.ClusterRoleBinding": (subjects(is_namespaced=False), cluster_role_only),
    "rbac.v1.PolicyRule": (policy_rule,),
    "rbac.v1.Role": (role,),
    "rbac.v1.RoleBinding": (subjects(is_namespaced=True),),
}
