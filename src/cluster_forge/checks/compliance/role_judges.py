"""What controls ask of roles and bindings."""

from __future__ import annotations

from cluster_forge.checks.compliance.evidence import Evidence
from cluster_forge.checks.security.rights import Right
from cluster_forge.foundation.untyped import sequence
from cluster_forge.manifests.manifest import Manifest


def cluster_admins(evidence: Evidence) -> list[Manifest]:
    """The bindings of cluster-admin."""
    return [grant.binding for grant in evidence.grants if grant.role_name == "cluster-admin" and grant.subjects]


def masters(evidence: Evidence) -> list[Manifest]:
    """The bindings for the group system:masters, which no policy holds back."""
    return [
        grant.binding
        for grant in evidence.grants
        if any(subject.kind == "Group" and subject.name == "system:masters" for subject in grant.subjects)
    ]


def wildcards(evidence: Evidence) -> list[Manifest]:
    """The bound roles with ``*`` for API groups, resources or verbs."""
    return [
        grant.role
        for grant in evidence.grants
        if grant.role is not None and any("*" in sequence(rule.get(key)) for rule in grant.rules for key in _KEYS)
    ]


_KEYS = ("apiGroups", "resources", "verbs")


def reading_secrets(evidence: Evidence) -> list[Manifest]:
    return evidence.with_right(Right.READ_SECRETS, Right.ALL)


def creating_pods(evidence: Evidence) -> list[Manifest]:
    return evidence.with_right(Right.CREATE_PODS, Right.ALL)


def raising_rights(evidence: Evidence) -> list[Manifest]:
    return evidence.with_right(Right.ESCALATE, Right.BIND, Right.IMPERSONATE)


def creating_volumes(evidence: Evidence) -> list[Manifest]:
    return evidence.with_right(Right.CREATE_VOLUMES)


def node_proxies(evidence: Evidence) -> list[Manifest]:
    return evidence.with_right(Right.NODE_PROXY)


def approving_certificates(evidence: Evidence) -> list[Manifest]:
    return evidence.with_right(Right.APPROVE_CERTIFICATES)


def changing_webhooks(evidence: Evidence) -> list[Manifest]:
    return evidence.with_right(Right.WEBHOOKS)


def creating_tokens(evidence: Evidence) -> list[Manifest]:
    return evidence.with_right(Right.CREATE_TOKENS)


def wide_roles(evidence: Evidence) -> list[Manifest]:
    return evidence.with_right(Right.ALL, Right.WILDCARD, Right.ESCALATE, Right.BIND, Right.IMPERSONATE)
