"""Which objects a webhook or an admission policy is about (Kubernetes API, "MatchResources", "RuleWithOperations").

An object is created: rules for other operations do not count. Of equivalent versions of an API, one that matches is enough
(``matchPolicy: Equivalent``, the default).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from cluster_forge.cel.errors import UndecidedError
from cluster_forge.checks.policies.admitted import Admitted
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.label_selector import matches

NEVER: Final = "admissionregistration.k8s.io"
"""The group whose policies and webhooks are about no object of the group itself."""
_OWN_LABEL: Final = "kubernetes.io/metadata.name"


def selects(constraints: Mapping[str, Any], admitted: Admitted, namespaces: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether ``matchConstraints`` or ``matchResources`` select an object; ``namespaces`` are the labels of those of the stack.

    Raises:
        UndecidedError: if that depends on the labels of a namespace that the stack does not have.
    """
    if admitted.group == NEVER:
        return False
    is_exact = constraints.get("matchPolicy") == "Exact"
    rules = sequence(constraints.get("resourceRules"))
    if "resourceRules" in constraints and not covers(rules, admitted, is_exact=is_exact):
        return False
    if covers(sequence(constraints.get("excludeResourceRules")), admitted, is_exact=is_exact):
        return False
    if not matches(mapping(constraints.get("objectSelector")), admitted.labels):
        return False
    return in_namespace(mapping(constraints.get("namespaceSelector")), admitted, namespaces)


def may_select(constraints: Mapping[str, Any], admitted: Admitted) -> bool:
    """Whether constraints may select objects of the same resource as this one, whatever their names and labels."""
    rules = [{**mapping(rule), "resourceNames": []} for rule in sequence(constraints.get("resourceRules"))]
    return "resourceRules" not in constraints or covers(rules, admitted)


def covers(rules: Iterable[object], admitted: Admitted, *, is_exact: bool = False) -> bool:
    """Whether one of the rules covers the creation of the object."""
    return any(_covers(mapping(rule), admitted, is_exact=is_exact) for rule in rules)


def _covers(rule: Mapping[str, Any], admitted: Admitted, *, is_exact: bool) -> bool:
    names = sequence(rule.get("resourceNames"))
    scope = rule.get("scope", "*")
    return (
        _is_among("CREATE", rule.get("operations"))
        and _is_among(admitted.group, rule.get("apiGroups"))
        and (not is_exact or _is_among(admitted.version, rule.get("apiVersions")))
        and _is_among(admitted.resource, rule.get("resources"))
        and (not names or admitted.name in names)
        and (scope == "*" or (scope == "Namespaced") is bool(admitted.namespace))
    )


def _is_among(value: str, allowed: object) -> bool:
    return any(one in (value, "*", "*/*") for one in sequence(allowed))


def in_namespace(selector: Mapping[str, Any], admitted: Admitted, namespaces: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a namespace selector selects the object's namespace, or the object, if it is one; others have none.

    Raises:
        UndecidedError: if that depends on labels that are not known.
    """
    if not any(map(sequence, selector.values())) and not any(map(mapping, selector.values())):
        return True
    name = admitted.name if (admitted.group, admitted.kind) == ("", "Namespace") else admitted.namespace
    if not name:
        return True
    labels = {**namespaces.get(name, {}), _OWN_LABEL: name}
    if name not in namespaces and not _keys(selector) <= {_OWN_LABEL}:
        raise UndecidedError(f"the labels of the namespace {name} are not known")
    return matches(selector, labels)


def _keys(selector: Mapping[str, Any]) -> set[str]:
    expressions = map(mapping, sequence(selector.get("matchExpressions")))
    return {*mapping(selector.get("matchLabels")), *(str(expression.get("key")) for expression in expressions)}
