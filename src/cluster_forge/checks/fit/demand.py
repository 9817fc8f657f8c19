"""What a stack asks of its nodes: the Pods of each workload, how many, and how many more while it is updated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from math import ceil, floor
from typing import Final

from cluster_forge.checks.fit import operated_pods, pod_reader
from cluster_forge.checks.fit.pod_class import PodClass, Surroundings
from cluster_forge.foundation.names import ComponentName
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.by_kind import ByKind
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.manifests.pods import TEMPLATES
from cluster_forge.stack.operated_kind import OperatedKind

MOST_PODS: Final = 1_000_000
"""Of one workload: a larger number of replicas is a mistake."""
_SCALED: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})


class Stay(StrEnum):
    """How Pods come and go."""

    REPLICAS = "replicas"
    EACH_NODE = "each node"
    """One on each node that it may run on: a DaemonSet."""
    TEMPORARY = "temporary"
    """They end: Jobs, CronJobs and hooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The Pods of one workload: ``count`` of ``pod`` (of a DaemonSet: on each node).

    ``surge`` Pods of the class ``updated`` come before ``unavailable`` old ones go while a Deployment is updated: those of two
    revisions do not count as the same. ``most`` is what an autoscaler may make of ``count``. ``manifest`` says whose the Pods
    are, ``wave`` when they come.
    """

    manifest: Manifest
    pod: PodClass
    count: int
    stay: Stay = Stay.REPLICAS
    surge: int = 0
    unavailable: int = 0
    updated: PodClass | None = None
    most: int = 0
    wave: int = 0

    @property
    def at_most(self) -> Demand:
        """With all Pods that an autoscaler may ask for."""
        return replace(self, count=max(self.count, self.most))


def of(
    objects: ByKind, waves: Mapping[ComponentName, int], operated: Iterable[OperatedKind], around: Surroundings
) -> list[Demand]:
    """The demands of objects by wave and identity; workloads without replicas have none."""
    scaled = dict(_scaled(objects))
    demands: list[Demand] = []
    for manifest in chain.from_iterable(objects.values()):
        wave = waves.get(manifest.provenance.component, 0)
        if (manifest.id.group, manifest.id.kind) not in TEMPLATES:
            for pod, pods in operated_pods.pods_of(manifest, operated, around):
                count = _number(pods, 0)
                demands.append(Demand(manifest=manifest, pod=pod, count=count, most=count, wave=wave))
        elif (demand := _of(manifest, around, scaled)) and demand.count:
            demands.append(replace(demand, wave=wave))
    return sorted(demands, key=lambda demand: (demand.wave, demand.manifest.id))


def surroundings(objects: ByKind) -> Surroundings:
    """The priorities, namespaces and runtimes among objects."""
    priorities: dict[str, int] = {}
    for manifest in objects["scheduling.k8s.io", "PriorityClass"]:
        value = manifest.body.get("value")
        if isinstance(value, int):
            priorities[manifest.id.name] = value
            if manifest.body.get("globalDefault") is True:
                priorities[""] = value
    return Surroundings(
        priorities=priorities,
        namespaces={
            manifest.id.name: {
                key: value
                for key, value in mapping(mapping(manifest.header.get("metadata")).get("labels")).items()
                if isinstance(value, str)
            }
            for manifest in objects["", "Namespace"]
        },
        runtimes={manifest.id.name: manifest.body for manifest in objects["node.k8s.io", "RuntimeClass"]},
    )


def _scaled(objects: ByKind) -> Iterator[tuple[tuple[str, str, str], tuple[int, int]]]:
    """The bounds of autoscalers by kind, namespace and name of what they scale."""
    for manifest in objects["autoscaling", "HorizontalPodAutoscaler"]:
        spec = mapping(manifest.body.get("spec"))
        target = mapping(spec.get("scaleTargetRef"))
        least, most = _number(spec.get("minReplicas"), 1), _number(spec.get("maxReplicas"), 0)
        yield (str(target.get("kind")), manifest.id.namespace, str(target.get("name"))), (least, max(least, most))


def _of(
    manifest: Manifest, around: Surroundings, scaled: Mapping[tuple[str, str, str], tuple[int, int]]
) -> Demand | None:
    template = manifest.body
    for step in TEMPLATES[manifest.id.group, manifest.id.kind]:
        template = mapping(template.get(step))
    pod = mapping(template.get("spec"))
    is_made = manifest.id.kind != "PodTemplate" and not sequence(pod.get("schedulingGates"))
    if not is_made or not sequence(pod.get("containers")):
        return None
    spec = mapping(manifest.body.get("spec"))
    is_daemon = manifest.id.kind == "DaemonSet"
    revision = str(manifest.id) if manifest.id.kind in _SCALED or is_daemon else ""
    pod_class = pod_reader.read(template, manifest.id.namespace, around, is_daemon=is_daemon, revision=revision)
    if manifest.facts.hook or manifest.id.kind in ("Job", "CronJob"):
        return Demand(manifest=manifest, pod=pod_class, count=_parallel(manifest, spec), stay=Stay.TEMPORARY)
    if is_daemon:
        return Demand(manifest=manifest, pod=pod_class, count=1, stay=Stay.EACH_NODE)
    if manifest.id.kind not in _SCALED:
        return Demand(manifest=manifest, pod=pod_class, count=1, most=1)
    least, most = scaled.get((manifest.id.kind, manifest.id.namespace, manifest.id.name), (0, 0))
    count = _number(spec.get("replicas"), 1)
    if count and most:  # an autoscaler leaves a workload alone that was scaled to nothing
        count = min(max(count, least), most)
    surge, unavailable = _rolling(manifest, spec, count)
    updated = pod_reader.next_revision(pod_class, template, around, f"{revision}, next") if surge else None
    return Demand(
        manifest=manifest,
        pod=pod_class,
        count=count,
        surge=surge,
        unavailable=unavailable,
        updated=updated,
        most=max(most, count),
    )


def _parallel(manifest: Manifest, spec: Body) -> int:
    """The Pods of a Job that run at once; one for other objects."""
    if manifest.id.kind == "CronJob":
        spec = mapping(mapping(spec.get("jobTemplate")).get("spec"))
    elif manifest.id.kind != "Job":
        return 1
    parallel = _number(spec.get("parallelism"), 1)
    completions = spec.get("completions")
    return min(parallel, completions) if isinstance(completions, int) and completions >= 0 else parallel


def _rolling(manifest: Manifest, spec: Body, count: int) -> tuple[int, int]:
    """``maxSurge`` rounded up and ``maxUnavailable`` rounded down, not both zero (kubernetes, ``ResolveFenceposts``)."""
    strategy = mapping(spec.get("strategy"))
    if manifest.id.kind != "Deployment" or strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return 0, 0
    rolling = mapping(strategy.get("rollingUpdate"))
    surge = ceil(_share(rolling.get("maxSurge"), count))
    unavailable = floor(_share(rolling.get("maxUnavailable"), count))
    return (surge, unavailable) if surge or unavailable else (0, 1)


def _share(value: object, count: int) -> float:
    """A number of Pods, or a percentage of ``count``; 25 % without a value."""
    text = "25%" if value is None else str(value)
    if text.endswith("%") and text[:-1].isascii() and text[:-1].isdecimal() and len(text) < 6:
        return int(text[:-1]) * count / 100
    return _number(value, 0)


def _number(value: object, default: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return int(min(max(value, 0), MOST_PODS))


def temporary(demands: Sequence[Demand]) -> list[Demand]:
    """Those whose Pods end."""
    return [demand for demand in demands if demand.stay is Stay.TEMPORARY]


def lasting(demands: Sequence[Demand]) -> list[Demand]:
    """Those whose Pods stay."""
    return [demand for demand in demands if demand.stay is not Stay.TEMPORARY]
