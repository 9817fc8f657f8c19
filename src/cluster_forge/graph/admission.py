"""Which objects webhooks and policies of the stack look at before the API server takes them.

Source: Kubernetes, "Dynamic Admission Control" (matching requests: rules, scope, selectors) and "Validating Admission Policy".
Match conditions are CEL and not computed: what has some is taken to look at nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.graph.edge import Edge, Reason
from cluster_forge.graph.reference import Strength
from cluster_forge.graph.workloads import Workloads, pod_labels
from cluster_forge.manifests import label_selector
from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.manifest import Manifest

_GROUP: Final = "admissionregistration.k8s.io"
_WEBHOOKS: Final = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_POLICIES: Final = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")
_NAME: Final = "kubernetes.io/metadata.name"

Resource = tuple[str, str]
"""Group and plural."""


class _Rules(NamedTuple):
    """What one webhook or policy looks at."""

    rules: Sequence[Any]
    namespaces: Any
    objects: Any
    field: str


@dataclass(frozen=True)
class _Alike:
    """Objects of one resource, component and namespace: admission distinguishes them by their labels alone.

    ``namespace`` is the name of a Namespace, and empty for other cluster-scoped objects. Of workloads looked at as Pods
    (``are_pods``), the labels are those of the Pods.
    """

    manifests: list[Manifest]
    namespace: str
    are_pods: bool

    @property
    def is_namespaced(self) -> bool:
        return bool(self.manifests[0].id.namespace)

    @cached_property
    def _labels(self) -> Sequence[Mapping[str, Any]]:
        if self.are_pods:
            return [pod_labels(one) for one in self.manifests]
        return [mapping(mapping(one.header.get("metadata")).get("labels")) for one in self.manifests]

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset().union(*self._labels)

    def first(self, selector: Any) -> Manifest | None:
        """The first object with the labels that ``selector`` asks for."""
        if label_selector.is_empty(selector):
            return self.manifests[0]
        if not label_selector.required_keys(selector) <= self._keys:
            return None
        pairs = zip(self.manifests, self._labels, strict=True)
        return next((one for one, labels in pairs if label_selector.matches(selector, labels)), None)


def edges(
    of_kind: Mapping[tuple[str, str], Sequence[Manifest]],
    definitions: Mapping[tuple[str, str], Manifest],
    workloads: Workloads,
) -> Iterator[Edge]:
    """For each webhook or policy and component the first object that it looks at. Those of its own component are left out.

    What comes after it (preferred): what asks for it by a label, the custom resources of its own component, and whatever a
    policy of the stack is about. A webhook that looks at everything orders nothing: what was there before it is not refused.
    """
    guards = [one for kind in of_kind if _is_guard(kind) for one in of_kind[kind]]
    if not guards:
        return
    resources = _resources(of_kind, definitions, workloads)
    labels = {
        one.id.name: {**mapping(mapping(one.header.get("metadata")).get("labels")), _NAME: one.id.name}
        for one in of_kind.get(("", "Namespace"), ())
    }
    for guard in guards:
        first: dict[str, Edge] = {}
        for rules in _rules(guard):
            for looked in _looked_at(rules, resources, labels):
                component = looked.provenance.component
                before = first.get(component)
                if component != guard.provenance.component and (before is None or not before.is_ordering):
                    edge = Edge(
                        source=looked,
                        target=guard,
                        reason=Reason.ADMITTED_BY,
                        strength=_strength(guard, rules, looked, definitions),
                        field=rules.field,
                    )
                    first[component] = edge if before is None or edge.is_ordering else before
        yield from first.values()


def _is_guard(kind: tuple[str, str]) -> bool:
    """Whether it is a kind of webhooks or policies; those of policy engines are written like Kubernetes' own."""
    group, name = kind
    return name in _WEBHOOKS if group == _GROUP and name not in _POLICIES else name.endswith("Policy")


def _strength(
    guard: Manifest, rules: _Rules, manifest: Manifest, definitions: Mapping[tuple[str, str], Manifest]
) -> Strength:
    definition = definitions.get((manifest.id.group, manifest.id.kind))
    is_own = definition is not None and definition.provenance.component == guard.provenance.component
    is_asked_for = label_selector.names_a_label(rules.objects) or label_selector.names_a_label(rules.namespaces)
    is_meant = is_own or is_asked_for or guard.id.kind not in _WEBHOOKS
    return Strength.PREFERRED if is_meant else Strength.INFORMS


def _resources(
    of_kind: Mapping[tuple[str, str], Sequence[Manifest]],
    definitions: Mapping[tuple[str, str], Manifest],
    workloads: Workloads,
) -> Mapping[Resource, Sequence[_Alike]]:
    """The objects by group and plural; the Pods of workloads are there as Pods, too."""
    resources: defaultdict[Resource, list[_Alike]] = defaultdict(list)
    for (group, kind), manifests in of_kind.items():
        definition = definitions.get((group, kind))
        plural = definition.id.name.partition(".")[0] if definition else _plural(kind)
        resources[group, plural] += _alike(manifests, are_pods=False)
    resources["", "pods"] += _alike([one for one in workloads.all if one.id.kind != "Pod"], are_pods=True)
    return resources


def _alike(manifests: Iterable[Manifest], *, are_pods: bool) -> Iterable[_Alike]:
    """The objects by component and namespace, so that a webhook looks at each of these once, however many objects there are."""
    groups: dict[tuple[str, str, str], _Alike] = {}
    for one in manifests:
        kind, name = (
            one.id.kind if are_pods else "",
            one.id.namespace or (one.id.name if one.id.kind == "Namespace" else ""),
        )
        key = one.provenance.component, kind, name
        groups.setdefault(key, _Alike([], name, are_pods)).manifests.append(one)
    return groups.values()


def _plural(kind: str) -> str:
    """The plural of a built-in kind: Kubernetes' own follow these rules but for Endpoints."""
    lower = kind.lower()
    if not lower or lower == "endpoints":
        return lower
    if lower.endswith(("s", "x", "ch", "sh")):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("y") and lower[-2:-1] not in tuple("aeiou") else f"{lower}s"


def _rules(guard: Manifest) -> Iterator[_Rules]:
    if guard.id.kind not in _WEBHOOKS:
        yield from _of_policy(mapping(guard.body.get("spec")))
        return
    for webhook in map(mapping, sequence(guard.body.get("webhooks"))):
        if not sequence(webhook.get("matchConditions")):
            field = f'webhooks[name="{webhook.get("name", "")}"]'
            selectors = webhook.get("namespaceSelector"), webhook.get("objectSelector")
            yield _Rules(sequence(webhook.get("rules")), *selectors, field)


def _of_policy(spec: Mapping[str, Any]) -> Iterator[_Rules]:
    """What a policy is about; nothing for one that refuses nothing (Kubernetes has that in the policy's binding)."""
    constraints = mapping(spec.get("matchConstraints"))
    actions = spec.get("validationActions")
    if not sequence(spec.get("matchConditions")) and (actions is None or "Deny" in sequence(actions)):
        selectors = constraints.get("namespaceSelector"), constraints.get("objectSelector")
        yield _Rules(sequence(constraints.get("resourceRules")), *selectors, "spec.matchConstraints")
    for number, rule in enumerate(map(mapping, sequence(spec.get("rules")))):
        if kinds := _kinds_of_rule(spec, rule):
            rules = {"operations": ["*"], "apiGroups": ["*"], "resources": kinds}
            yield _Rules([rules], None, None, f"spec.rules[{number}]")


def _kinds_of_rule(spec: Mapping[str, Any], rule: Mapping[str, Any]) -> list[str]:
    """The plurals of the kinds that a rule by kinds is about (``match.any[].resources.kinds``); none if it only reports."""
    validate = mapping(rule.get("validate"))
    action = validate.get("failureAction") or spec.get("validationFailureAction")
    if validate and str(action).lower() != "enforce":
        return []
    match = mapping(rule.get("match"))
    filters = [match, *map(mapping, (*sequence(match.get("any")), *sequence(match.get("all"))))]
    kinds = {kind for one in filters for kind in _texts(mapping(one.get("resources")).get("kinds"))}
    return sorted(
        {_plural(kind.rpartition("/")[2]) if kind.rpartition("/")[2] != "*" else "*" for kind in kinds if kind}
    )


def _looked_at(
    rules: _Rules, resources: Mapping[Resource, Sequence[_Alike]], labels: Mapping[str, Mapping[str, Any]]
) -> Iterator[Manifest]:
    """One of the objects that are alike."""
    for rule in map(mapping, rules.rules):
        if not {"CREATE", "*"}.intersection(_texts(rule.get("operations"))):
            continue
        scope = rule.get("scope")
        for resource in _matching(rule, resources):
            for alike in resources[resource]:
                if scope == ("Cluster" if alike.is_namespaced else "Namespaced"):
                    continue
                name = alike.namespace
                if name and not label_selector.matches(rules.namespaces, labels.get(name) or {_NAME: name}):
                    continue
                if (looked := alike.first(rules.objects)) is not None:
                    yield looked


def _matching(rule: Mapping[str, Any], resources: Mapping[Resource, Sequence[_Alike]]) -> Iterator[Resource]:
    groups, plurals = _texts(rule.get("apiGroups")), _texts(rule.get("resources"))
    for group, plural in resources:
        is_meant = ("*" in groups or group in groups) and bool(plurals & {plural, "*", "*/*"})
        if is_meant and not (group == _GROUP or plural == f"{CRD_KIND.lower()}s"):
            yield group, plural


def _texts(value: Any) -> frozenset[str]:
    return frozenset(text for text in sequence(value) if isinstance(text, str))
