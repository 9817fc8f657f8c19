"""The class of the Pods that a template makes.

Sources: Kubernetes API, "PodSpec", "Affinity", "TopologySpreadConstraint"; defaults as the API server sets them. What is not of
the expected type counts as not there: whether the API server takes it is another check's matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from cluster_forge.checks.fit.pod_class import (
    NodeDemand,
    NodeTerm,
    PodClass,
    PodTerm,
    Spread,
    Surroundings,
    Toleration,
)
from cluster_forge.foundation.label_selector import LabelSelector, Requirement
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import host_ports, pod_requests

NAME_LABEL: Final = "kubernetes.io/metadata.name"
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
SYSTEM_PRIORITIES: Final = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
"""Those of the PriorityClasses that every cluster has."""
_OF_DAEMON_SETS: Final = tuple(
    Toleration(key=f"node.kubernetes.io/{key}", effect=effect, is_exists=True)
    for key, effect in (
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
        ("network-unavailable", "NoSchedule"),
    )
)
"""What the controller adds (kubernetes, ``daemon/util/daemonset_util.go``); the last one only with ``hostNetwork``."""
_PRESENCE: Final = ("Exists", "DoesNotExist")


def read(
    template: Mapping[str, Any],
    namespace: str,
    surroundings: Surroundings,
    *,
    is_daemon: bool = False,
    revision: str = "",
) -> PodClass:
    """The class of a template with ``metadata`` and ``spec``. ``revision`` is what only Pods of the same revision share."""
    pod = mapping(template.get("spec"))
    runtime = mapping(surroundings.runtimes.get(str(pod.get("runtimeClassName", ""))))
    if runtime and "overhead" not in pod:
        pod = {**pod, "overhead": mapping(runtime.get("overhead")).get("podFixed")}
    labels = {**_texts(mapping(template.get("metadata")).get("labels"))}
    if revision:
        labels |= _of_revision(revision)
    affinity = mapping(pod.get("affinity"))
    return PodClass(
        namespace=namespace,
        labels=tuple(sorted(labels.items())),
        requests=tuple(sorted(pod_requests.of(pod).items())),
        ports=host_ports.of(pod),
        nodes=_node_demand(pod, mapping(runtime.get("scheduling")), is_daemon=is_daemon),
        attracts=_pod_terms(affinity.get("podAffinity"), namespace, labels, surroundings),
        repels=_pod_terms(affinity.get("podAntiAffinity"), namespace, labels, surroundings),
        spreads=tuple(_spreads(pod, namespace, labels)),
        priority=_priority(pod, surroundings),
    )


def running(pod: Mapping[str, Any], surroundings: Surroundings) -> PodClass:
    """The class of a Pod that has its node: what it takes there, and what it keeps away. Its priority is in its ``spec``."""
    metadata, spec = mapping(pod.get("metadata")), mapping(pod.get("spec"))
    namespace, labels = str(metadata.get("namespace") or ""), _texts(metadata.get("labels"))
    repelled = mapping(spec.get("affinity")).get("podAntiAffinity")
    priority = spec.get("priority")
    return PodClass(
        namespace=namespace,
        labels=tuple(sorted(labels.items())),
        requests=tuple(sorted(pod_requests.of(spec).items())),
        ports=host_ports.of(spec),
        repels=_pod_terms(repelled, namespace, labels, surroundings) if repelled else (),
        priority=priority if isinstance(priority, int) else 0,
    )


def next_revision(pod: PodClass, template: Mapping[str, Any], surroundings: Surroundings, revision: str) -> PodClass:
    """The class of the Pods of another ``revision`` of the same template, of which ``pod`` is one."""
    if pod.attracts or pod.repels or pod.spreads:  # their terms may ask for labels of the revision
        return read(template, pod.namespace, surroundings, revision=revision)
    return replace(pod, labels=tuple(sorted({**dict(pod.labels), **_of_revision(revision)}.items())))


def _of_revision(revision: str) -> dict[str, str]:
    return {"pod-template-hash": revision, "controller-revision-hash": revision}


def _priority(pod: Mapping[str, Any], surroundings: Surroundings) -> int:
    name = pod.get("priorityClassName") or ""
    known = {**surroundings.priorities, **SYSTEM_PRIORITIES}
    return known.get(name, 0) if isinstance(name, str) else 0


def _node_demand(pod: Mapping[str, Any], scheduling: Mapping[str, Any], *, is_daemon: bool) -> NodeDemand:
    required = mapping(mapping(mapping(pod.get("affinity")).get("nodeAffinity")).get(_REQUIRED))
    terms = sequence(required.get("nodeSelectorTerms"))
    wanted = {**_texts(scheduling.get("nodeSelector")), **_texts(pod.get("nodeSelector"))}
    tolerations = [
        _toleration(mapping(one))
        for one in (*sequence(pod.get("tolerations")), *sequence(scheduling.get("tolerations")))
    ]
    if is_daemon:
        tolerations += _OF_DAEMON_SETS if pod.get("hostNetwork") is True else _OF_DAEMON_SETS[:-1]
    name = pod.get("nodeName")
    read_terms = tuple(term for one in terms if (term := _node_term(mapping(one)))) if terms else None
    if isinstance(name, str) and name:
        read_terms = (
            NodeTerm(names=LabelSelector((Requirement("metadata.name", frozenset({name}), is_wanted=True),))),
        )
    return NodeDemand(
        selector=LabelSelector(
            tuple(Requirement(key, frozenset({value}), is_wanted=True) for key, value in sorted(wanted.items()))
        ),
        terms=read_terms,
        tolerations=tuple(dict.fromkeys(tolerations)),
    )


def _toleration(entry: Mapping[str, Any]) -> Toleration:
    return Toleration(
        key=str(entry.get("key") or ""),
        value=str(entry.get("value") or ""),
        effect=str(entry.get("effect") or ""),
        is_exists=entry.get("operator") == "Exists",
    )


def _node_term(term: Mapping[str, Any]) -> NodeTerm | None:
    """A term of a node selector; an empty one matches no node."""
    expressions = [mapping(one) for one in sequence(term.get("matchExpressions"))]
    fields = [mapping(one) for one in sequence(term.get("matchFields"))]
    if not expressions and not fields:
        return None
    bounds = {
        operator: tuple(
            (str(one.get("key")), int(values[0]))
            for one in expressions
            if one.get("operator") == operator
            and (values := sequence(one.get("values")))
            and str(values[0]).lstrip("-").isascii()
            and str(values[0]).lstrip("-").isdecimal()
        )
        for operator in ("Gt", "Lt")
    }
    return NodeTerm(
        labels=_expressions(expressions), above=bounds["Gt"], below=bounds["Lt"], names=_expressions(fields)
    )


def _pod_terms(
    affinity: object, namespace: str, labels: Mapping[str, str], surroundings: Surroundings
) -> tuple[PodTerm, ...]:
    terms = (mapping(term) for term in sequence(mapping(affinity).get(_REQUIRED)))
    return tuple(
        PodTerm(_selector(term, labels), _namespaces(term, namespace, surroundings), str(term.get("topologyKey")))
        for term in terms
        if isinstance(term.get("labelSelector"), Mapping)  # without one it means no Pod
    )


def _namespaces(term: Mapping[str, Any], own: str, surroundings: Surroundings) -> frozenset[str] | None:
    """``namespaces`` and ``namespaceSelector`` together; without both the Pod's own. A selector that is empty means all."""
    named = frozenset(name for name in sequence(term.get("namespaces")) if isinstance(name, str))
    wanted = term.get("namespaceSelector")
    if not isinstance(wanted, Mapping):
        return named or frozenset({own})
    selector = _label_selector(wanted)
    if not selector.requirements:
        return None
    known = {own: {}, **surroundings.namespaces}
    return named | {name for name, labels in known.items() if selector.selects({NAME_LABEL: name, **labels})}


def _spreads(pod: Mapping[str, Any], namespace: str, labels: Mapping[str, str]) -> Iterator[Spread]:
    for entry in map(mapping, sequence(pod.get("topologySpreadConstraints"))):
        skew, least = entry.get("maxSkew"), entry.get("minDomains")
        if entry.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule" and isinstance(skew, int):
            has_selector = isinstance(entry.get("labelSelector"), Mapping)
            nothing = LabelSelector((Requirement("", None, is_wanted=True),))
            yield Spread(
                term=PodTerm(
                    _selector(entry, labels) if has_selector else nothing,
                    frozenset({namespace}),
                    str(entry.get("topologyKey")),
                ),
                skew=skew,
                least_domains=least if isinstance(least, int) else 1,
                honors_affinity=entry.get("nodeAffinityPolicy") != "Ignore",
                honors_taints=entry.get("nodeTaintsPolicy") == "Honor",
            )


def _selector(term: Mapping[str, Any], labels: Mapping[str, str]) -> LabelSelector:
    """``labelSelector``, and the Pod's own values of ``matchLabelKeys`` and ``mismatchLabelKeys``."""
    more = tuple(
        Requirement(key, frozenset({labels[key]}), is_wanted=is_wanted)
        for keys, is_wanted in (("matchLabelKeys", True), ("mismatchLabelKeys", False))
        for key in sequence(term.get(keys))
        if isinstance(key, str) and key in labels
    )
    return LabelSelector((*_label_selector(mapping(term.get("labelSelector"))).requirements, *more))


def _label_selector(selector: Mapping[str, Any]) -> LabelSelector:
    wanted = tuple(
        Requirement(key, frozenset({value}), is_wanted=True)
        for key, value in sorted(_texts(selector.get("matchLabels")).items())
    )
    expressions = [mapping(one) for one in sequence(selector.get("matchExpressions"))]
    return LabelSelector((*wanted, *_expressions(expressions).requirements))


def _expressions(expressions: list[Mapping[str, Any]]) -> LabelSelector:
    return LabelSelector(tuple(requirement for one in expressions if (requirement := _requirement(one))))


def _requirement(expression: Mapping[str, Any]) -> Requirement | None:
    key, operator = str(expression.get("key")), expression.get("operator")
    if operator in _PRESENCE:
        return Requirement(key, None, is_wanted=operator == "Exists")
    if operator in ("In", "NotIn"):
        values = frozenset(map(str, sequence(expression.get("values"))))
        return Requirement(key, values, is_wanted=operator == "In")
    return None


def _texts(value: object) -> dict[str, str]:
    return {key: str(item) for key, item in mapping(value).items() if isinstance(item, str)}
