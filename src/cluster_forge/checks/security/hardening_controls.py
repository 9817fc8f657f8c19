"""The controls that the Pod Security level restricted adds: a container cannot gain rights that it does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.security import host_controls
from cluster_forge.checks.security.pod_control import Control, Problem, of_container, of_pod
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.foundation.untyped import mapping, sequence

_CONTEXT: Final = "securityContext"
_VOLUMES: Final = frozenset(
    (
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected"),
        "secret",
    )
)
_USER_NAMESPACES: Final = 35
"""The minor version from which on the user in a user namespace does not matter (KEP-127)."""


def _volume_types(pod: PodTemplate, _: int) -> Iterator[Problem]:
    for place, volume in enumerate(sequence(pod.spec.get("volumes"))):
        types = set(mapping(volume)) - {"name", "hostPath"}  # baseline has hostPath
        if wrong := sorted(types - _VOLUMES):
            yield of_pod(pod, f"has a volume of type {', '.join(wrong)}", "volumes", place)


def _escalation(pod: PodTemplate, _: int) -> Iterator[Problem]:
    for container in () if pod.is_windows else pod.containers:
        if container.context.get("allowPrivilegeEscalation") is not False:
            message = "allowPrivilegeEscalation is not false"
            yield of_container(container, message, _CONTEXT, "allowPrivilegeEscalation")


def _non_root(pod: PodTemplate, minor: int) -> Iterator[Problem]:
    if _in_user_namespace(pod, minor):
        return
    of_all = pod.context.get("runAsNonRoot")
    if of_all is False:
        yield of_pod(pod, "runAsNonRoot is false", _CONTEXT, "runAsNonRoot")
    for container in pod.containers:
        own = container.context.get("runAsNonRoot")
        if own is False or (own is None and of_all is None):
            yield of_container(container, "may run as root (runAsNonRoot is not true)", _CONTEXT, "runAsNonRoot")


def _user(pod: PodTemplate, minor: int) -> Iterator[Problem]:
    if _in_user_namespace(pod, minor):
        return
    if _is_root(pod.context.get("runAsUser")):
        yield of_pod(pod, "runs as root (runAsUser is 0)", _CONTEXT, "runAsUser")
    for container in pod.containers:
        if _is_root(container.context.get("runAsUser")):
            yield of_container(container, "runs as root (runAsUser is 0)", _CONTEXT, "runAsUser")


def _is_root(user: object) -> bool:
    return user is not None and not isinstance(user, bool) and user == 0


def _seccomp(pod: PodTemplate, _: int) -> Iterator[Problem]:
    if pod.is_windows:
        return
    of_all = mapping(pod.context.get("seccompProfile")).get("type")
    for container in pod.containers:
        own = mapping(container.context.get("seccompProfile")).get("type", of_all)
        if own is None:  # baseline has those that are wrong
            yield of_container(container, "has no seccomp profile", _CONTEXT, "seccompProfile")


def _capabilities(pod: PodTemplate, _: int) -> Iterator[Problem]:
    for container in () if pod.is_windows else pod.containers:
        capabilities = mapping(container.context.get("capabilities"))
        if "ALL" not in sequence(capabilities.get("drop")):
            message = "does not drop ALL capabilities"
            yield of_container(container, message, _CONTEXT, "capabilities", "drop")
        added = set(map(str, sequence(capabilities.get("add")))) - {"NET_BIND_SERVICE"}
        if added:
            message = f"adds capabilities {', '.join(sorted(added))}"
            yield of_container(container, message, _CONTEXT, "capabilities", "add")


def _proc_mount(pod: PodTemplate, minor: int) -> Iterator[Problem]:
    """Since 1.35, also for Pods in a user namespace, to which baseline allows it."""
    if _in_user_namespace(pod, minor):
        yield from host_controls.unmasked_proc(pod)


def _in_user_namespace(pod: PodTemplate, minor: int) -> bool:
    return minor >= _USER_NAMESPACES and pod.spec.get("hostUsers") is False


CONTROLS: Final = (
    Control(name="Volume Types", judge=_volume_types),
    Control(name="Privilege Escalation", judge=_escalation),
    Control(name="Running as Non-root", judge=_non_root),
    Control(name="Running as Non-root user", judge=_user),
    Control(name="Seccomp", judge=_seccomp),
    Control(name="Capabilities", judge=_capabilities),
    Control(name="/proc Mount Type", judge=_proc_mount),
)
