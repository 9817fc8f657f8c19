"""Why an object is not ready: the broken Pod, what the cluster says of it in one sentence, its last events and log lines.

Sources: Kubernetes, "Pod Lifecycle", "Debug Pods"; the messages of containerd and CRI-O about images.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from cluster_forge.foundation.errors import ClusterError, ImageError, RefusedError
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import health
from cluster_forge.manifests.health import Status
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.cluster import Cluster, Query

_EVENTS: Final = 5
_LINES: Final = 10
_LONGEST: Final = 300
"""Characters of a line that others wrote."""
_PULLS: Final = frozenset({"ErrImagePull", "ImagePullBackOff"})
_HARMLESS: Final = frozenset({"ContainerCreating", "PodInitializing"})
_COMBINED: Final = "(combined from similar events): "
"""What the API machinery writes before the message of the last of many events (client-go, ``tools/record``)."""
_NAME: Final = re.compile(r'"[^"]*-[a-z0-9]{5}"')
"""The name of a Pod that was to be created: its end differs from one try to the next."""
_STATUS: Final = re.compile(r"\b(401|403|404|429|5\d\d)\b")
_CAUSES: Final = (
    (re.compile(r"no such host|server misbehaving"), "cannot be found: no such host"),
    (re.compile(r"x509|certificate"), "has a certificate that the node does not trust"),
    (re.compile(r"connection refused"), "refuses the connection"),
    (re.compile(r"i/o timeout|deadline exceeded|timed out"), "does not answer"),
    (re.compile(r"unauthorized|authentication required|denied", re.IGNORECASE), "answers 401"),
    (re.compile(r"not found|manifest unknown", re.IGNORECASE), "does not have the image"),
    (re.compile(r"toomanyrequests|rate limit", re.IGNORECASE), "answers 429"),
)
"""What a node says about a registry, in words that say what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """``sentence`` is the cause, as far as it is known. ``events`` and ``log`` are the last ones of ``pod``."""

    sentence: str = ""
    pod: str = ""
    events: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """An object that is not ready: what its status lacks, and what else the cluster says of it."""

    target: ObjectId
    lack: str
    trouble: Trouble

    @property
    def sentence(self) -> str:
        """Of its Pods if they say it, else of its status."""
        return self.trouble.sentence or self.lack

    def __str__(self) -> str:
        return f"{self.target}: {self.sentence}"


def cause(target: ObjectId, cluster: Cluster) -> Cause | None:
    """Why something is not ready that an engine applies, if this object is not; None, too, where the cluster does not say: it
    explains what is known already.
    """
    try:
        live = cluster.get(target)
    except (ClusterError, RefusedError):
        return None
    state = health.of(live) if live else None
    if state is None or state.status is Status.READY:
        return None
    return Cause(target=target, lack=state.message, trouble=of(target, cluster))


def of(target: ObjectId, cluster: Cluster) -> Trouble:
    """What is wrong with an object that is not ready; nothing where the cluster does not say."""
    try:
        return _of(target, cluster)
    except (ClusterError, RefusedError):
        return Trouble()


def _of(target: ObjectId, cluster: Cluster) -> Trouble:
    live = cluster.get(target)
    if live is None or not target.namespace:
        return Trouble()
    warnings = cluster.list(Query(group="", kind="Event", namespace=target.namespace, fields="type=Warning")).items
    pod = next(_broken(_pods(live, target, cluster)), None)
    if pod is None:
        events = _messages(warnings, partial(_is_of, target, (live.get("spec") or {}).get("selector")))
        return Trouble(sentence=events[-1] if events else "", events=events)
    name = pod["metadata"]["name"]
    events = _messages(warnings, partial(_is_of, replace(target, group="", kind="Pod", name=name), None))
    container, sentence = _cause(pod, events)
    is_looping = sentence.startswith("CrashLoopBackOff")
    log = cluster.logs(target.namespace, name, container, lines=_LINES, previous=is_looping) if container else ""
    lines = tuple(line[:_LONGEST] for line in log.splitlines()[-_LINES:])
    return Trouble(sentence=sentence, pod=name, events=events, log=lines)


def _pods(live: Body, target: ObjectId, cluster: Cluster) -> Sequence[Body]:
    """The Pods of a workload, by its selector."""
    if target.kind == "Pod":
        return (live,)
    labels = mapping(mapping(mapping(live.get("spec")).get("selector")).get("matchLabels"))
    if not labels:
        return ()
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return cluster.list(Query(group="", kind="Pod", namespace=target.namespace, labels=selector)).items


def _broken(pods: Iterable[Body]) -> Iterator[Body]:
    """Pods that are not ready, the failed and the newest ones first."""
    states = [(health.completion(pod) if _runs_once(pod) else health.of(pod), pod) for pod in pods]
    broken = [(state.status is Status.FAILED, pod) for state, pod in states if state.status is not Status.READY]
    yield from (
        pod
        for _, pod in sorted(
            broken, key=lambda pair: (pair[0], str(pair[1]["metadata"].get("creationTimestamp"))), reverse=True
        )
    )


def _runs_once(pod: Body) -> bool:
    return any(mapping(owner).get("kind") == "Job" for owner in sequence(pod["metadata"].get("ownerReferences")))


def _cause(pod: Body, events: Sequence[str]) -> tuple[str, str]:
    """The broken container, if one was started, and the sentence."""
    status = mapping(pod.get("status"))
    statuses = (*sequence(status.get("initContainerStatuses")), *sequence(status.get("containerStatuses")))
    for container in map(mapping, statuses):
        waiting = mapping(mapping(container.get("state")).get("waiting"))
        reason = str(waiting.get("reason") or "")
        if reason in _PULLS:
            return "", f"{reason}: {_pull(str(container.get('image', '')), [str(waiting.get('message', '')), *events])}"
        if reason and reason not in _HARMLESS:
            return str(container.get("name", "")), f"{reason}: {_stopped(container) or _line(waiting.get('message'))}"
        if ended := _stopped(container, "state"):
            return str(container.get("name", "")), ended
    for condition in map(mapping, sequence(status.get("conditions"))):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return "", f"{condition.get('reason')}: {_line(condition.get('message'))}"
    unready = [entry for entry in map(mapping, sequence(status.get("containerStatuses"))) if not entry.get("ready")]
    name = str(unready[0].get("name", "")) if unready else ""
    return name, events[-1] if events else f"container {name} runs and is not ready" if name else ""


def _pull(image: str, messages: Iterable[str]) -> str:
    """``registry.example.com answers 401 for image registry.example.com/team/shop:1``."""
    text = "\n".join(messages)
    try:
        host = ImageReference.parse(image).registry
    except ImageError:
        host = "the registry"
    if status := _STATUS.search(text.replace(image, "")):
        return f"{host} answers {status[1]} for image {image}"
    cause = next((words for pattern, words in _CAUSES if pattern.search(text)), "")
    return f"{host} {cause} (image {image})" if cause else f"image {image} cannot be pulled from {host}"


def _stopped(container: Mapping[str, Any], state: str = "lastState") -> str:
    """``container app ended with exit code 137 (OOMKilled)``."""
    ended = mapping(mapping(container.get(state)).get("terminated"))
    if not ended or ended.get("exitCode") == 0:
        return ""
    reason = f" ({ended['reason']})" if ended.get("reason") not in (None, "Error") else ""
    return f"container {container.get('name')} ended with exit code {ended.get('exitCode')}{reason}"


def _is_of(target: ObjectId, selector: object, concerned: Mapping[str, Any]) -> bool:
    """Whether an event concerns the object or, if it has Pods, what its controller makes: ``web-5f7c9``."""
    name = str(concerned.get("name", ""))
    is_itself = name == target.name and concerned.get("kind", target.kind) == target.kind
    return is_itself or (bool(selector) and target.kind != "Service" and name.startswith(f"{target.name}-"))


def _messages(events: Iterable[Body], is_wanted: Callable[[Mapping[str, Any]], bool]) -> tuple[str, ...]:
    """The last events of objects with such names, the newest at the end: ``FailedMount: …``."""
    chosen = [event for event in events if is_wanted(mapping(event.get("involvedObject")))]
    chosen.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    lines = [f"{event.get('reason')}: {_line(event.get('message')).removeprefix(_COMBINED)}" for event in chosen]
    return tuple({_NAME.sub("", line): line for line in lines}.values())[-_EVENTS:]


def _line(text: object) -> str:
    return " ".join(str(text or "").split())[:_LONGEST]
