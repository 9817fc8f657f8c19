"""What the user may do, as the API server's authorizers say (Kubernetes, "Authorization")."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ServedKind

_API: Final = "authorization.k8s.io/v1"
Ask = Callable[[str, Body], Mapping[str, Any]]
"""Sends a review with the last part of its path; its answer."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of a namespace; an authorizer that cannot list its own makes them incomplete."""

    rules: Sequence[Mapping[str, Any]]
    is_complete: bool

    def allow(self, verb: str, kind: ServedKind) -> bool:
        wanted = (("verbs", verb), ("apiGroups", kind.group), ("resources", kind.plural))
        return any(
            not rule.get("resourceNames") and all({"*", value} & set(rule.get(key) or ()) for key, value in wanted)
            for rule in self.rules
        )


class Permissions:
    """Answers from one SelfSubjectRulesReview a namespace, and SelfSubjectAccessReviews where that does not say; kept."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._rules: dict[str, _Rules] = {}
        self._known: dict[tuple[str, str, str, str], bool] = {}

    def can(self, verb: str, kind: ServedKind, namespace: str) -> bool:
        """Whether the user may do this to all objects of a kind, in a namespace or (empty) everywhere.

        Raises:
            ClusterError, RefusedError: if the server does not say.
        """
        with self._lock:
            if namespace and kind.is_namespaced:
                rules = self._rules.get(namespace) or self._rules.setdefault(namespace, self._reviewed(namespace))
                if rules.allow(verb, kind):
                    return True
                if rules.is_complete:
                    return False
            key = (verb, kind.group, kind.plural, namespace)
            if key not in self._known:
                self._known[key] = self._is_allowed(verb, kind, namespace)
            return self._known[key]

    def _reviewed(self, namespace: str) -> _Rules:
        status = self._status("selfsubjectrulesreviews", "SelfSubjectRulesReview", {"namespace": namespace})
        rules = [rule for rule in status.get("resourceRules") or () if isinstance(rule, dict)]
        return _Rules(rules, is_complete=not status.get("incomplete"))

    def _is_allowed(self, verb: str, kind: ServedKind, namespace: str) -> bool:
        attributes = {"verb": verb, "group": kind.group, "resource": kind.plural, "version": kind.version}
        spec = {"resourceAttributes": {**attributes, "namespace": namespace}}
        return self._status("selfsubjectaccessreviews", "SelfSubjectAccessReview", spec).get("allowed") is True

    def _status(self, plural: str, kind: str, spec: Body) -> Mapping[str, Any]:
        answer = self._ask(f"/apis/{_API}/{plural}", {"apiVersion": _API, "kind": kind, "spec": spec})
        status = answer.get("status")
        return status if isinstance(status, dict) else {}
