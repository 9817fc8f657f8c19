"""Pods: their containers together, volumes, placement and restart policy (``ValidatePodSpec``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.kubernetes_objects.problem import Problem, Rule, shown
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.field_path import Step

_CONTAINERS: Final = ("containers", "initContainers")
_ONLY_REGULAR: Final = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


def container_names(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """Every name once, those of init containers included."""
    seen: set[str] = set()
    for field in ("initContainers", "containers"):
        names = set[str]()
        for step, container in _containers(value, field):
            name = container.get("name")
            if isinstance(name, str) and name in seen:  # twice in one list: its keys say so
                yield Problem(
                    steps=(field, step, "name"),
                    message=f"{shown(name)} is the name of an init container, too",
                    fix="rename one of the two",
                )
            if isinstance(name, str):
                names.add(name)
        seen |= names


def init_containers(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    for step, container in _containers(value, "initContainers"):
        if container.get("restartPolicy") == "Always":  # a sidecar
            continue
        for name in _ONLY_REGULAR:
            if container.get(name) is not None:
                yield Problem(
                    steps=("initContainers", step, name),
                    message=f"an init container that ends has no {name}",
                    fix=f"remove {name}, or set restartPolicy: Always (a sidecar)",
                )


def host_ports(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """In the network of the node a container's port is the node's."""
    if value.get("hostNetwork") is not True:
        return
    for field in _CONTAINERS:
        for step, container in _containers(value, field):
            for number, entry in enumerate(sequence(container.get("ports"))):
                host, own = mapping(entry).get("hostPort"), mapping(entry).get("containerPort")
                if isinstance(host, int) and host and host != own:
                    yield Problem(
                        steps=(field, step, "ports", number, "hostPort"),
                        message=f"hostPort {host} is not containerPort {own}, and hostNetwork is true",
                        fix="remove hostPort, or make both equal",
                    )


def mounts(value: Mapping[str, Any], volumes: Any) -> Iterator[Problem]:
    """Mounts of the containers of a Pod that name none of ``volumes``."""
    names = {name for volume in volumes if isinstance(name := mapping(volume).get("name"), str)}
    for field in _CONTAINERS:
        for step, container in _containers(value, field):
            for kind in ("volumeMounts", "volumeDevices"):
                for number, mount in enumerate(sequence(container.get(kind))):
                    name = mapping(mount).get("name")
                    if isinstance(name, str) and name and name not in names:
                        yield Problem(
                            steps=(field, step, kind, number, "name"),
                            message=f"the Pod has no volume {shown(name)}{did_you_mean(name, names)}",
                            fix="add the volume, or correct the name",
                        )


def host_users(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if value.get("hostUsers") is False and value.get("hostPID") is True:
        yield Problem(
            steps=("hostPID",), message="hostPID cannot be true where hostUsers is false", fix="remove one of the two"
        )


def toleration(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    operator, effect = value.get("operator") or "Equal", value.get("effect")
    if not value.get("key") and operator != "Exists":
        yield Problem(
            steps=("operator",),
            message="a toleration without key needs operator: Exists",
            fix="set key, or operator: Exists",
        )
    if operator == "Exists" and value.get("value") not in (None, ""):
        yield Problem(
            steps=("value",), message="operator: Exists takes no value", fix="remove value, or write operator: Equal"
        )
    if value.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield Problem(
            steps=("tolerationSeconds",),
            message="tolerationSeconds needs effect: NoExecute",
            fix="remove it, or set effect: NoExecute",
        )


def requirement(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """An expression of a label or node selector has values where its operator compares with some."""
    operator, count = value.get("operator"), len(sequence(value.get("values")))
    if operator in ("In", "NotIn") and not count:
        yield Problem(steps=("values",), message=f"operator: {operator} needs values", fix="add values")
    elif operator in ("Exists", "DoesNotExist") and count:
        yield Problem(steps=("values",), message=f"operator: {operator} takes no values", fix="remove values")
    elif operator in ("Gt", "Lt") and count != 1:
        yield Problem(
            steps=("values",), message=f"operator: {operator} needs one value", fix="write one whole number as text"
        )


def spread(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if value.get("minDomains") is not None and value.get("whenUnsatisfiable") == "ScheduleAnyway":
        yield Problem(
            steps=("minDomains",),
            message="minDomains needs whenUnsatisfiable: DoNotSchedule",
            fix="remove minDomains, or write DoNotSchedule",
        )


def template(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if value.get("spec") is None:
        yield Problem(steps=("spec",), message="spec of the Pods is missing", fix="set spec")


def spreads(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """No two topology spread constraints for the same (``validateSpreadConstraintNotRepeat``)."""
    seen: set[tuple[str, str]] = set()
    for number, constraint in enumerate(sequence(value.get("topologySpreadConstraints"))):
        key = (str(mapping(constraint).get("topologyKey")), str(mapping(constraint).get("whenUnsatisfiable")))
        if key in seen:
            yield Problem(
                steps=("topologySpreadConstraints", number),
                message=f"topologyKey {key[0]} with {key[1]} is there twice",
                fix="remove one of the two",
            )
        seen.add(key)


def _containers(pod: Mapping[str, Any], field: str) -> Iterator[tuple[Step, Mapping[str, Any]]]:
    """The containers of a list, each with the step to it."""
    for number, container in enumerate(sequence(pod.get(field))):
        if isinstance(container, Mapping):
            name = container.get("name")
            yield ((("name", f'"{name}"'),) if isinstance(name, str) else number), container


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement": (requirement,),
    "core.v1.NodeSelectorRequirement": (requirement,),
    "core.v1.PodSpec": (container_names, init_containers, host_ports, host_users, spreads),
    "core.v1.PodTemplateSpec": (template,),
    "core.v1.Toleration": (toleration,),
    "core.v1.TopologySpreadConstraint": (spread,),
}
