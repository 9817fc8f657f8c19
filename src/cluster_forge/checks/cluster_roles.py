"""The rules of ClusterRoles: their own, those that they collect from others, and those that every cluster has.

Sources: kubernetes.io/docs/reference/access-authn-authz/rbac ("Aggregated ClusterRoles", "Default roles and role bindings");
kubernetes, ``plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.inventory import LabelIndex
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.label_selector import labels_of
from cluster_forge.manifests.manifest import Body, Manifest

Rule = Mapping[str, Any]

_EDIT: Final[tuple[Rule, ...]] = (
    {"apiGroups": [""], "resources": ["secrets", "pods/exec", "pods/attach"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]},
    {
        "apiGroups": [""],
        "resources": ["pods", "pods/exec", "pods/attach", "serviceaccounts/token"],
        "verbs": ["create"],
    },
    {"apiGroups": ["apps", "batch"], "resources": ["deployments", "jobs"], "verbs": ["create", "patch", "update"]},
)
_ADMIN: Final[tuple[Rule, ...]] = (
    *_EDIT,
    {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"],
        "verbs": ["create", "patch", "update"],
    },
)
_ALL: Final[tuple[Rule, ...]] = ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},)
_BUILT_IN: Final[Mapping[str, tuple[Rule, ...]]] = {"cluster-admin": _ALL, "admin": _ADMIN, "edit": _EDIT, "view": ()}
"""What of the roles of every cluster gives a right (`rights`); others (system:…) are not known here."""
_BOOTSTRAP: Final = {"kubernetes.io/bootstrapping": "rbac-defaults"}
"""The label of the roles that every cluster has."""
_COLLECTING: Final = ("admin", "edit", "view")


class ClusterRoles:
    """The ClusterRoles of a stack, and those of every cluster."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._bodies = {manifest.id.name: manifest.body for manifest in manifests}
        own = {name: labels_of(body.get("metadata")) for name, body in self._bodies.items()}
        labels = {**dict.fromkeys(_BUILT_IN, _BOOTSTRAP), **own}
        self._index = LabelIndex((labels[name], name) for name in labels)

    def rules(self, name: str) -> list[Rule]:
        """The rules of a role by its name, with those that it collects; none for a role that is not known."""
        return list(self._rules(name, set()))

    def _rules(self, name: str, seen: set[str]) -> Iterator[Rule]:
        if name in seen:
            return
        seen.add(name)
        body = self._bodies.get(name)
        yield from rules_of(body) if body is not None else _BUILT_IN.get(name, ())
        for selector in _selectors(name, body):
            for other in self._index.selected(selector):
                yield from self._rules(other, seen)


def rules_of(role: Body) -> tuple[Rule, ...]:
    """The rules that a role itself has."""
    return tuple(rule for rule in sequence(role.get("rules")) if isinstance(rule, Mapping))


def _selectors(name: str, body: Body | None) -> Iterator[Mapping[str, Any]]:
    """The selectors of the roles whose rules a role collects; an empty one selects all."""
    if body is None and name in _COLLECTING:
        yield {"matchLabels": {f"rbac.authorization.k8s.io/aggregate-to-{name}": "true"}}
    selectors = mapping((body or {}).get("aggregationRule")).get("clusterRoleSelectors")
    yield from (selector for selector in sequence(selectors) if isinstance(selector, Mapping))
