"""Admission lets in the Pods that workloads make: classes that exist, quotas and limits of their namespaces.

Like Pod Security it refuses Pods, not the Deployments that make them, so that no dry run shows it. Sources: Kubernetes, "Resource
Quotas", "Limit Ranges", "Pod Priority and Preemption" and "Runtime Class"; ``plugin/pkg/admission/limitranger``,
``quota/v1/evaluator/core/pods.go``. Quotas with scopes are left to the API server.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.checks import workloads
from cluster_forge.checks.fit.demand import Stay
from cluster_forge.checks.fit.pod_class import PodClass
from cluster_forge.checks.fit.pod_reader import SYSTEM_PRIORITIES
from cluster_forge.checks.workloads import Workload
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import pod_requests
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, name_of

LOOKS_AT: Final = "the classes, quotas and limits of Pods"
IS_NEEDED: Final = False
CODES: Final[Mapping[str, str]] = {
    "refused-pod": "Admission refuses the Pods of a workload: no such class, over a quota, outside of limits.",
}
CODE: Final = "refused-pod"
_PRIORITY: Final = ("scheduling.k8s.io", "PriorityClass")
_RUNTIME: Final = ("node.k8s.io", "RuntimeClass")
_PODS: Final = "pods"
_REQUESTS: Final = "requests."
_LIMITS: Final = "limits."
_COMPUTE: Final = ("cpu", "memory")
_SET: Final = "set `resources` in its values, or change the quota or the LimitRange"


@dataclass(slots=True)
class _Rules:
    """What a namespace asks of containers: ``hard`` by quota, and what its LimitRanges fill in, or have as largest and least."""

    hard: dict[str, Mapping[str, int]] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)


def problems(situation: Situation) -> Iterator[Problem]:
    own = workloads.of(situation.workloads)
    for workload in own:
        yield from _of_classes(situation, workload)
    rules = _rules(situation)
    for workload in own:
        if workload.namespace in rules:
            yield from _of_containers(workload, rules[workload.namespace])
    yield from _of_quotas(situation, {namespace: of_one.hard for namespace, of_one in rules.items() if of_one.hard})


def _of_classes(situation: Situation, workload: Workload) -> Iterator[Problem]:
    """A RuntimeClass may still come from the driver that brings the runtime."""
    for (group, kind), member, severity in (
        (_PRIORITY, "priorityClassName", Severity.ERROR),
        (_RUNTIME, "runtimeClassName", Severity.WARNING),
    ):
        name = workload.pod.get(member)
        if (
            name
            and name not in SYSTEM_PRIORITIES
            and all(one.id.name != name for one in situation.classes[group, kind])
        ):
            message = f"its Pods have `{member}: {name}`, and neither the stack nor the cluster has this {kind}"
            yield _problem(workload, message, f"name one that exists: kubectl get {kind.lower()}", severity)


def _rules(situation: Situation) -> Mapping[str, _Rules]:
    """The rules of namespaces of the stack that have any, as they will be."""
    names = {workload.id.namespace for workload in situation.workloads}
    rules: defaultdict[str, _Rules] = defaultdict(_Rules)
    for body in _coming(situation, "ResourceQuota") if names else ():
        spec, namespace = mapping(body.get("spec")), str(body["metadata"].get("namespace"))
        if namespace in names and not spec.get("scopes") and not spec.get("scopeSelector"):
            hard = mapping(spec.get("hard"))
            rules[namespace].hard[name_of(body)] = {key: _amount(key, value) for key, value in hard.items()}
    for body in _coming(situation, "LimitRange") if names else ():
        namespace = str(body["metadata"].get("namespace"))
        if namespace in names:
            for limit in map(mapping, sequence(mapping(body.get("spec")).get("limits"))):
                if limit.get("type") == "Container":
                    _add(rules[namespace], limit)
    return rules


def _coming(situation: Situation, kind: str) -> Iterable[Body]:
    """The objects of the cluster, and those of the stack in their place: a quota may be raised with the replicas."""
    there = {(body["metadata"].get("namespace"), name_of(body)): body for body in situation.listed("", kind)}
    own = (one for one in situation.manifests if (one.id.group, one.id.kind) == ("", kind))
    return {**there, **{(one.id.namespace, one.id.name): one.body for one in own}}.values()


def _add(rules: _Rules, limit: Mapping[str, Any]) -> None:
    """One entry of a LimitRange, with what the API server fills in (``SetDefaults_LimitRangeItem``)."""
    largest, least = pod_requests.amounts(limit.get("max")), pod_requests.amounts(limit.get("min"))
    limits = {**largest, **pod_requests.amounts(limit.get("default"))}
    rules.limits.update(limits)
    rules.requests.update({**least, **limits, **pod_requests.amounts(limit.get("defaultRequest"))})
    for name, amount in largest.items():
        rules.largest[name] = min(amount, rules.largest.get(name, amount))
    for name, amount in least.items():
        rules.least[name] = max(amount, rules.least.get(name, amount))


def _of_containers(workload: Workload, rules: _Rules) -> Iterator[Problem]:
    asked = {name for hard in rules.hard.values() for name in hard}
    for container in workload.all_containers:
        resources = mapping(container.get("resources"))
        limits = {**rules.limits, **pod_requests.amounts(resources.get("limits"))}
        given = pod_requests.amounts(resources.get("requests"))
        requests = {**limits, **rules.requests, **pod_requests.amounts(resources.get("limits")), **given}
        where = f"its container {container.get('name')}"
        for name in () if workload.pod.get("resources") else _COMPUTE:
            if name not in requests and asked & {name, _REQUESTS + name}:
                yield _problem(
                    workload, f"{where} requests no {name}, which a quota of {workload.namespace} asks for", _SET
                )
            if name not in limits and _LIMITS + name in asked:
                yield _problem(
                    workload, f"{where} has no limit of {name}, which a quota of {workload.namespace} asks for", _SET
                )
        for name in sorted(limits.keys() | requests.keys()):
            most, least = max(limits.get(name, 0), requests.get(name, 0)), requests.get(name, limits.get(name, 0))
            if most > rules.largest.get(name, most):
                limit = pod_requests.text(name, rules.largest[name])
                yield _problem(
                    workload,
                    f"{where} may have {limit} of {name} at most, by a LimitRange of {workload.namespace}",
                    _SET,
                )
            if least < rules.least.get(name, least):
                limit = pod_requests.text(name, rules.least[name])
                yield _problem(
                    workload,
                    f"{where} must request at least {limit} of {name}, by a LimitRange of {workload.namespace}",
                    _SET,
                )


def _of_quotas(situation: Situation, quotas: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Iterator[Problem]:
    """The Pods that stay, those of DaemonSets left out, beside those of others, against each quota of a namespace: what it
    allows, by its name.
    """
    own: dict[str, Counter[str]] = {namespace: Counter() for namespace in quotas}
    others: dict[str, Counter[str]] = {namespace: Counter() for namespace in quotas}
    for demand in situation.demands if quotas else ():
        if demand.stay is Stay.REPLICAS and demand.pod.namespace in own:
            _count(own[demand.pod.namespace], demand.pod, demand.count)
    for pod in situation.pods if quotas else ():
        if pod.is_lasting and pod.pod_class.namespace in others:
            _count(others[pod.pod_class.namespace], pod.pod_class, 1)
    for namespace, of_one in sorted(quotas.items()):
        for quota, hard in sorted(of_one.items()):
            for key, limit in sorted(hard.items()):
                name = key.removeprefix(_REQUESTS)
                ours, theirs = own[namespace][name], others[namespace][name]
                if ours and ours + theirs > limit:
                    yield Problem(
                        code=CODE,
                        message=f"the Pods of the stack ask for {pod_requests.text(name, ours)} of {key}, others of the namespace for "
                        f"{pod_requests.text(name, theirs)}, and the quota allows {pod_requests.text(name, limit)}",
                        where=f"ResourceQuota/{namespace}/{quota}",
                        fix="raise the quota, or lower the replicas or the requests",
                        option=f"--allow {CODE}",
                    )


def _count(asked: Counter[str], pod: PodClass, pods: int) -> None:
    asked[_PODS] += pods
    for name, amount in pod.requests:
        asked[name] += amount * pods


def _amount(key: str, value: object) -> int:
    """What a quota allows; one that is none allows everything."""
    read = pod_requests.amount(key.removeprefix(_REQUESTS).removeprefix(_LIMITS), value)
    return 1 << 63 if read is None else read


def _problem(workload: Workload, message: str, fix: str, severity: Severity = Severity.ERROR) -> Problem:
    where = str(workload.manifest.id)
    return Problem(code=CODE, message=message, where=where, fix=fix, severity=severity, option=f"--allow {CODE}")
