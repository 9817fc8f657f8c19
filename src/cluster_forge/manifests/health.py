"""Whether an object in a cluster is ready: computed from its body with ``status``, by kind.

The rules follow kstatus (sigs.k8s.io/cli-utils, ``pkg/kstatus``). They differ where a deployment must know more: a Job is
ready when it is complete, not when it runs; a failed Pod is failed; a Service of type LoadBalancer needs an address; and
of the update strategy ``OnDelete`` only the rollout is not awaited (kstatus calls such a StatefulSet ready at once).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation.names import counted
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import group_of
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.readiness_rule import ReadinessRule


class Status(StrEnum):
    """How far an object has come."""

    READY = "Ready"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    """It will not become ready without a change."""


@dataclass(frozen=True, slots=True)
class Health:
    """The status, and a message that says why: the controller's own where it wrote one.

    ``is_unanswered``: the controller of the kind has not written anything yet.
    """

    status: Status
    message: str
    is_unanswered: bool = False


AWAITED: Final = frozenset(
    {
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("batch", "Job"),
        ("apiregistration.k8s.io", "APIService"),
    }
)
"""The kinds that a deployment waits for before it goes on: later steps use what they serve, and they become ready by
themselves. A claim may be bound only when a later pod uses it, an address may come from a later component."""


def of(body: Body, known: ReadinessRule | None = None) -> Health:
    """The health of an object as the API server returns it; ``known`` is what the catalog says of a custom resource's kind.

    A kind without a rule and without conditions is ready.
    """
    health = _in_general(body)
    if health:
        return health
    if known:
        return _by_rule(body, known)
    rule = _RULES.get((group_of(body["apiVersion"]), body["kind"]))
    return rule(body) if rule else _by_conditions(body)


def completion(body: Body, known: ReadinessRule | None = None) -> Health:
    """How far a Job or Pod has come that runs once: a Pod that runs is not ready, as it is for `of`.

    Source: Helm, "Chart Hooks": a hook is awaited until it has run to completion.
    """
    if body["kind"] != "Pod":
        return of(body, known)
    health = _pod(body)
    is_over = _phase(body) in ("Succeeded", "Failed")
    return health if is_over or health.status is not Status.READY else _in_progress("running")


def _in_general(body: Body) -> Health | None:
    """What holds for every kind: deletion, an unobserved generation, and the conditions Reconciling and Stalled."""
    metadata = body["metadata"]
    if metadata.get("deletionTimestamp"):
        return _in_progress("being deleted")
    generation, observed = metadata.get("generation"), mapping(body.get("status")).get("observedGeneration")
    if generation is not None and observed is not None and generation != observed:
        return _in_progress(f"generation {generation} is not observed yet (last: {observed})")
    for condition in _conditions(body):
        if condition.get("status") == "True" and condition.get("type") == "Reconciling":
            return _in_progress(_message(condition))
        if condition.get("status") == "True" and condition.get("type") == "Stalled":
            return _failed(_message(condition))
    return None


def _by_rule(body: Body, rule: ReadinessRule) -> Health:
    missing = rule.missing(body)
    if missing is None:
        return _ready("ready, as its controller says")
    if not missing:
        return Health(Status.IN_PROGRESS, "no controller has answered it yet", is_unanswered=True)
    return _failed(missing) if rule.has_failed(body) else _in_progress(missing)


def _by_conditions(body: Body) -> Health:
    """Custom resources and other kinds: the condition Ready, else Available."""
    for name in ("Ready", "Available"):
        condition = _condition(body, name)
        if condition:
            is_true = condition.get("status") == "True"
            return _ready(f"condition {name}") if is_true else _in_progress(_message(condition))
    return _ready("exists")


def _deployment(body: Body) -> Health:
    progressing, available = _condition(body, "Progressing"), _condition(body, "Available")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return _failed(_message(progressing))
    wanted = _wanted(body)
    updated, existing = _count(body, "updatedReplicas"), _count(body, "replicas")
    if updated < wanted:
        return _in_progress(f"{updated} of {counted(wanted, 'replica')} updated")
    if existing > updated:
        return _in_progress(f"{counted(existing - updated, 'old replica')} to be terminated")
    if _count(body, "availableReplicas") < wanted:
        return _in_progress(f"{_count(body, 'availableReplicas')} of {counted(wanted, 'replica')} available")
    if available.get("status") != "True":
        return _in_progress(_message(available))
    return _ready(f"{wanted} of {counted(wanted, 'replica')} available")


def _stateful_set(body: Body) -> Health:
    wanted, ready, updated = _wanted(body), _count(body, "readyReplicas"), _count(body, "updatedReplicas")
    if ready < wanted:
        return _in_progress(f"{ready} of {counted(wanted, 'replica')} ready")
    if _count(body, "replicas") > wanted:
        return _in_progress(f"{counted(_count(body, 'replicas') - wanted, 'replica')} to be terminated")
    strategy = mapping(mapping(body.get("spec")).get("updateStrategy"))
    if strategy.get("type") != "OnDelete":
        partition = mapping(strategy.get("rollingUpdate")).get("partition")
        expected = max(0, wanted - partition) if isinstance(partition, int) else wanted
        if updated < expected:
            return _in_progress(f"{updated} of {counted(expected, 'replica')} updated")
        status = mapping(body.get("status"))
        if not partition and status.get("currentRevision") != status.get("updateRevision"):
            return _in_progress("the rollout is not complete")
    return _ready(f"{wanted} of {counted(wanted, 'replica')} ready")


def _daemon_set(body: Body) -> Health:
    if "observedGeneration" not in mapping(body.get("status")):
        return _in_progress("not observed yet")
    wanted = _count(body, "desiredNumberScheduled")
    on_delete = mapping(mapping(body.get("spec")).get("updateStrategy")).get("type") == "OnDelete"
    if not on_delete and _count(body, "updatedNumberScheduled") < wanted:
        return _in_progress(f"{_count(body, 'updatedNumberScheduled')} of {counted(wanted, 'pod')} updated")
    if _count(body, "numberAvailable") < wanted:
        return _in_progress(f"{_count(body, 'numberAvailable')} of {counted(wanted, 'pod')} available")
    return _ready(f"{wanted} of {counted(wanted, 'pod')} available")


def _job(body: Body) -> Health:
    for name, health in (("Complete", _ready), ("Failed", _failed), ("Suspended", _ready)):
        condition = _condition(body, name)
        if condition.get("status") == "True":
            return health(_message(condition, name.lower()))
    return _in_progress(f"{counted(_count(body, 'active'), 'pod')} active, {_count(body, 'failed')} failed")


def _pod(body: Body) -> Health:
    phase = _phase(body)
    if phase in ("Succeeded", "Failed"):
        return _ready("completed") if phase == "Succeeded" else _failed("a container failed")
    looping = [name for name, reason in _waiting(body) if reason == "CrashLoopBackOff"]
    if looping:
        return _failed(f"containers in CrashLoopBackOff: {', '.join(looping)}")
    if phase == "Running" and _condition(body, "Ready").get("status") == "True":
        return _ready("running")
    scheduled = _condition(body, "PodScheduled")
    return _in_progress(_message(scheduled) if scheduled.get("status") == "False" else phase or "not observed yet")


def _claim(body: Body) -> Health:
    phase = _phase(body)
    if phase == "Lost":
        return _failed("its volume is lost")
    return _ready("bound") if phase == "Bound" else _in_progress(phase or "not observed yet")


def _definition(body: Body) -> Health:
    names, established = _condition(body, "NamesAccepted"), _condition(body, "Established")
    if names.get("status") == "False":
        return _failed(_message(names))
    if established.get("status") == "True":
        return _ready("established")
    if established.get("status") == "False" and established.get("reason") != "Installing":
        return _failed(_message(established))
    return _in_progress("not established yet")


def _api_service(body: Body) -> Health:
    available = _condition(body, "Available")
    return _ready("available") if available.get("status") == "True" else _in_progress(_message(available))


def _namespace(body: Body) -> Health:
    phase = _phase(body)
    return _ready("active") if phase == "Active" else _in_progress(phase or "not observed yet")


def _service(body: Body) -> Health:
    if mapping(body.get("spec")).get("type") != "LoadBalancer":
        return _ready("exists")
    has_address = mapping(mapping(body.get("status")).get("loadBalancer")).get("ingress")
    return _ready("has an address") if has_address else _in_progress("waiting for an address of the load balancer")


_RULES: Final[Mapping[tuple[str, str], Callable[[Body], Health]]] = MappingProxyType(
    {
        ("", "Namespace"): _namespace,
        ("", "PersistentVolumeClaim"): _claim,
        ("", "Pod"): _pod,
        ("", "Service"): _service,
        CRD: _definition,
        ("apiregistration.k8s.io", "APIService"): _api_service,
        ("apps", "DaemonSet"): _daemon_set,
        ("apps", "Deployment"): _deployment,
        ("apps", "StatefulSet"): _stateful_set,
        ("batch", "Job"): _job,
    }
)


def _ready(message: str) -> Health:
    return Health(Status.READY, message)


def _in_progress(message: str) -> Health:
    return Health(Status.IN_PROGRESS, message)


def _failed(message: str) -> Health:
    return Health(Status.FAILED, message)


def _conditions(body: Body) -> Iterator[Mapping[str, Any]]:
    conditions = mapping(body.get("status")).get("conditions")
    return (entry for entry in conditions if isinstance(entry, Mapping)) if isinstance(conditions, list) else iter(())


def _condition(body: Body, name: str) -> Mapping[str, Any]:
    """The condition of that type; empty where there is none."""
    return next((condition for condition in _conditions(body) if condition.get("type") == name), {})


def _message(condition: Mapping[str, Any], default: str = "not observed yet") -> str:
    return str(condition.get("message") or condition.get("reason") or default)


def _phase(body: Body) -> str:
    return str(mapping(body.get("status")).get("phase") or "")


def _count(body: Body, name: str) -> int:
    value = mapping(body.get("status")).get(name)
    return value if isinstance(value, int) else 0


def _wanted(body: Body) -> int:
    replicas = mapping(body.get("spec")).get("replicas")
    return replicas if isinstance(replicas, int) else 1


def _waiting(body: Body) -> Iterator[tuple[str, str]]:
    """The containers that wait, each with the reason."""
    statuses = mapping(body.get("status")).get("containerStatuses")
    for status in statuses if isinstance(statuses, list) else ():
        waiting = mapping(mapping(mapping(status).get("state")).get("waiting"))
        if waiting:
            yield str(status.get("name", "")), str(waiting.get("reason", ""))
