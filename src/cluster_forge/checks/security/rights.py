"""The rights by which an attacker takes over more than the Pod: what a rule of RBAC allows beyond its purpose.

Sources: kubernetes.io/docs/concepts/security/rbac-good-practices; CIS Kubernetes Benchmark, 5.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cluster_forge.foundation.untyped import sequence


class Right(StrEnum):
    """A right, worst first; the text completes "may …"."""

    ALL = "do everything"
    WILDCARD = "change every kind of object"
    ESCALATE = "give itself more rights (escalate)"
    BIND = "bind roles with more rights than its own (bind)"
    IMPERSONATE = "act as others (impersonate)"
    SYSTEM_GROUP = "belong to everyone"
    ANONYMOUS = "reach the API without a login"
    CHANGE_RBAC = "change roles and bindings"
    EXEC = "run commands in Pods"
    NODE_PROXY = "use the API of the kubelets (nodes/proxy)"
    API_PATHS = "read the logs and profiles of the API server (nonResourceURLs)"
    READ_SECRETS = "read Secrets"
    WEBHOOKS = "change admission webhooks"
    CREATE_PODS = "create Pods"
    CREATE_TOKENS = "make tokens of ServiceAccounts"
    APPROVE_CERTIFICATES = "approve certificates"
    CREATE_VOLUMES = "create PersistentVolumes"


TAKES_OVER: Final = frozenset(
    (Right.ALL, Right.WILDCARD, Right.ESCALATE, Right.BIND, Right.IMPERSONATE, Right.SYSTEM_GROUP, Right.ANONYMOUS)
)
"""Rights that are the whole cluster's, whatever their rule says else."""

_READ: Final = frozenset(("get", "list", "watch"))
_WRITE: Final = frozenset(("create", "update", "patch"))
_WORKLOADS: Final = frozenset(
    (
        *("pods", "deployments", "statefulsets", "daemonsets", "replicasets", "replicationcontrollers"),
        *("jobs", "cronjobs"),
    )
)
_RBAC: Final = frozenset(("roles", "rolebindings", "clusterroles", "clusterrolebindings"))
_WEBHOOKS: Final = frozenset(("validatingwebhookconfigurations", "mutatingwebhookconfigurations"))


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of RBAC: ``names`` are those of single objects that it is for; empty for all."""

    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> Rule:
        return cls(*(frozenset(map(str, sequence(rule.get(key)))) for key in _KEYS))

    def allows(self, group: str, resources: frozenset[str], verbs: frozenset[str]) -> bool:
        """Whether it allows one of the verbs on one of the resources of an API group; ``*/exec`` is that of every resource."""
        of_every = {f"*/{resource.partition('/')[2]}" for resource in resources if "/" in resource}
        return (
            bool(self.groups & {group, "*"})
            and bool(self.resources & {*resources, *of_every, "*"})
            and bool(self.verbs & {*verbs, "*"})
        )


_CHANGING: Final = frozenset(("*", "create", "update", "patch", "delete", "deletecollection"))
_MOST_POWERFUL: Final = frozenset(
    ("cluster-admin", "admin", "edit", "system:masters", "system:admin", "kubernetes-admin")
)
"""Names of roles, groups and users with which a right for single objects is one for the whole cluster."""
_PUBLIC_PATHS: Final = ("/healthz", "/livez", "/readyz", "/version", "/openid/", "/.well-known/", "/openapi", "/api")
_INTERNAL_PATHS: Final = ("/debug", "/logs")
"""Profiles of the API server, its flags, and the log files of its node."""
_KEYS: Final = ("apiGroups", "resources", "verbs", "resourceNames")


def of(rule: Mapping[str, Any]) -> Iterator[Right]:
    """The rights that a rule gives, all of them: one that allows everything allows each."""
    one = Rule.of(rule)
    if one.names and not one.resources & {"*"}:
        yield from _of_named(one)
        return
    any_resource, any_verb = "*" in one.resources, "*" in one.verbs
    if any_resource and any_verb and "*" in one.groups:
        yield Right.ALL
    elif any_resource and "*" in one.groups and one.verbs & _CHANGING:
        yield Right.WILDCARD
    yield from _of_rbac(one)
    yield from _of_workloads(one)
    if any(_is_internal(path) for path in _paths(rule)) and one.verbs & {"get", "*"}:
        yield Right.API_PATHS
    if one.allows("admissionregistration.k8s.io", _WEBHOOKS, _WRITE):
        yield Right.WEBHOOKS
    if one.allows(
        "certificates.k8s.io", frozenset(("certificatesigningrequests/approval",)), frozenset(("update", "patch"))
    ):
        yield Right.APPROVE_CERTIFICATES


def is_public(rule: Mapping[str, Any]) -> bool:
    """Whether everyone may have what a rule allows: single objects that its author names, and paths that tell nothing."""
    has_objects = bool(sequence(rule.get("resources"))) and not sequence(rule.get("resourceNames"))
    return not has_objects and all(path.startswith(_PUBLIC_PATHS) for path in _paths(rule))


def _paths(rule: Mapping[str, Any]) -> list[str]:
    return [path for path in sequence(rule.get("nonResourceURLs")) if isinstance(path, str)]


def _is_internal(path: str) -> bool:
    """Whether a path, which may end with ``*``, is or has one that shows what the API server does."""
    start = path.removesuffix("*")
    is_open = path.endswith("*")
    return any(
        known.startswith(start) if is_open and len(start) <= len(known) else start.startswith(known)
        for known in _INTERNAL_PATHS
    )


def _of_named(rule: Rule) -> Iterator[Right]:
    """The rights of a rule for single objects that its author names."""
    if rule.names & _MOST_POWERFUL:
        yield from (right for right in _of_rbac(rule) if right in (Right.BIND, Right.IMPERSONATE))


def _of_rbac(rule: Rule) -> Iterator[Right]:
    group = "rbac.authorization.k8s.io"
    roles = frozenset(("roles", "clusterroles"))
    if rule.allows(group, roles, frozenset(("escalate",))):
        yield Right.ESCALATE
    if rule.allows(group, roles, frozenset(("bind",))):
        yield Right.BIND
    if rule.allows(group, _RBAC, _WRITE):
        yield Right.CHANGE_RBAC
    if rule.allows("", frozenset(("users", "groups", "serviceaccounts")), frozenset(("impersonate",))):
        yield Right.IMPERSONATE


def _of_workloads(rule: Rule) -> Iterator[Right]:
    if rule.allows("", frozenset(("secrets",)), _READ):
        yield Right.READ_SECRETS
    is_debugging = rule.allows("", frozenset(("pods/ephemeralcontainers",)), frozenset(("patch", "update")))
    if is_debugging or rule.allows("", frozenset(("pods/exec", "pods/attach")), frozenset(("create", "get"))):
        yield Right.EXEC
    if rule.allows("", frozenset(("nodes/proxy",)), frozenset(("get", "create"))):
        yield Right.NODE_PROXY
    if any(rule.allows(group, _WORKLOADS, frozenset(("create",))) for group in ("", "apps", "batch")):
        yield Right.CREATE_PODS
    if rule.allows("", frozenset(("serviceaccounts/token",)), frozenset(("create",))):
        yield Right.CREATE_TOKENS
    if rule.allows("", frozenset(("persistentvolumes",)), frozenset(("create",))):
        yield Right.CREATE_VOLUMES
