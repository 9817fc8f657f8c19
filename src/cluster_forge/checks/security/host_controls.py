"""The controls of the Pod Security level baseline: nothing that reaches the node past the container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from cluster_forge.checks.security.pod_control import Control, Problem, of_container, of_pod
from cluster_forge.checks.security.pod_template import ContainerPlace, PodTemplate
from cluster_forge.foundation.untyped import mapping, sequence

_CONTEXT: Final = "securityContext"
_CAPABILITIES: Final = frozenset(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)
_SELINUX_TYPES: Final = frozenset(("", "container_t", "container_init_t", "container_kvm_t"))
_SYSCTLS: Final[Mapping[str, int]] = {
    "kernel.shm_rmid_forced": 0,
    "net.ipv4.ip_local_port_range": 0,
    "net.ipv4.ip_unprivileged_port_start": 0,
    "net.ipv4.tcp_syncookies": 0,
    "net.ipv4.ping_group_range": 0,
    "net.ipv4.ip_local_reserved_ports": 27,
    "net.ipv4.tcp_keepalive_time": 29,
    "net.ipv4.tcp_fin_timeout": 29,
    "net.ipv4.tcp_keepalive_intvl": 29,
    "net.ipv4.tcp_keepalive_probes": 29,
    "net.ipv4.tcp_rmem": 32,
    "net.ipv4.tcp_wmem": 32,
}
"""The sysctls of the Pod alone, with the minor version from which on they are allowed."""
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


def _host_process(pod: PodTemplate, _: int) -> Iterator[Problem]:
    if mapping(pod.context.get("windowsOptions")).get("hostProcess"):
        yield of_pod(pod, "runs as a process of the node (hostProcess)", _CONTEXT, "windowsOptions", "hostProcess")
    for container in pod.containers:
        if mapping(container.context.get("windowsOptions")).get("hostProcess"):
            message = "runs as a process of the node (hostProcess)"
            yield of_container(container, message, _CONTEXT, "windowsOptions", "hostProcess")


def _host_namespaces(pod: PodTemplate, _: int) -> Iterator[Problem]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(key):
            yield of_pod(pod, f"sets {key}", key)


def _privileged(pod: PodTemplate, _: int) -> Iterator[Problem]:
    for container in pod.containers:
        if container.context.get("privileged"):
            yield of_container(container, "is privileged", _CONTEXT, "privileged")


def _capabilities(pod: PodTemplate, _: int) -> Iterator[Problem]:
    for container in pod.containers:
        added = _added(container) - _CAPABILITIES
        if added:
            message = f"adds capabilities {', '.join(sorted(added))}"
            yield of_container(container, message, _CONTEXT, "capabilities", "add")


def _added(container: ContainerPlace) -> set[str]:
    return set(map(str, sequence(mapping(container.context.get("capabilities")).get("add"))))


def _host_path(pod: PodTemplate, _: int) -> Iterator[Problem]:
    for place, volume in enumerate(sequence(pod.spec.get("volumes"))):
        if mapping(volume).get("hostPath") is not None:
            path = mapping(volume["hostPath"]).get("path")
            yield of_pod(pod, f"mounts {path} of the node (hostPath)", "volumes", place, "hostPath")


def _host_ports(pod: PodTemplate, _: int) -> Iterator[Problem]:
    for container in pod.containers:
        for place, port in enumerate(sequence(container.body.get("ports"))):
            if number := mapping(port).get("hostPort"):
                yield of_container(container, f"takes port {number} of the node", "ports", place, "hostPort")


def _host_probes(pod: PodTemplate, minor: int) -> Iterator[Problem]:
    """Since 1.34 (KEP-4940)."""
    if minor < 34:
        return
    for container in pod.containers:
        lifecycle = mapping(container.body.get("lifecycle"))
        probes = (("livenessProbe",), ("readinessProbe",), ("startupProbe",))
        hooks = (("lifecycle", "postStart"), ("lifecycle", "preStop"))
        for steps in (*probes, *hooks):
            handler = mapping((lifecycle if len(steps) > 1 else container.body).get(steps[-1]))
            for action in ("httpGet", "tcpSocket"):
                if mapping(handler.get(action)).get("host"):
                    yield of_container(container, f"{steps[-1]} names a host", *steps, action, "host")


def _app_armor(pod: PodTemplate, _: int) -> Iterator[Problem]:
    for place, profile in _set_in(pod, "appArmorProfile"):
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            yield _in_context(pod, place, f"AppArmor profile {profile.get('type')}", "appArmorProfile", "type")
    for key, value in pod.annotations.items():
        allowed = value in ("", "runtime/default", None) or str(value).startswith("localhost/")
        if str(key).startswith(_APPARMOR) and not allowed:
            metadata = (*pod.steps[:-1], "metadata", "annotations", str(key))
            yield Problem(message=f"AppArmor profile {value}", steps=metadata)


def _selinux(pod: PodTemplate, minor: int) -> Iterator[Problem]:
    types = {*_SELINUX_TYPES, *(("container_engine_t",) if minor >= 31 else ())}
    for place, options in _set_in(pod, "seLinuxOptions"):
        wrong = [key for key in ("user", "role") if options.get(key)]
        wrong += ["type"] if (options.get("type") or "") not in types else []
        if wrong:
            yield _in_context(pod, place, f"sets the SELinux {', '.join(wrong)}", "seLinuxOptions")


def _proc_mount(pod: PodTemplate, minor: int) -> Iterator[Problem]:
    """Since 1.35 a Pod in a user namespace may unmask it; `hardening_controls` has what restricted says."""
    if minor < 35 or pod.spec.get("hostUsers") is not False:
        yield from unmasked_proc(pod)


def unmasked_proc(pod: PodTemplate) -> Iterator[Problem]:
    """The containers that see /proc as it is."""
    for container in pod.containers:
        kind = container.context.get("procMount")
        if kind not in (None, "", "Default"):
            yield of_container(container, f"mounts /proc {kind}", _CONTEXT, "procMount")


def _seccomp(pod: PodTemplate, _: int) -> Iterator[Problem]:
    for place, profile in _set_in(pod, "seccompProfile"):
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            yield _in_context(pod, place, f"seccomp profile {profile.get('type')}", "seccompProfile", "type")


def _sysctls(pod: PodTemplate, minor: int) -> Iterator[Problem]:
    for place, sysctl in enumerate(sequence(pod.context.get("sysctls"))):
        name = str(mapping(sysctl).get("name"))
        if _SYSCTLS.get(name, minor + 1) > minor:
            yield of_pod(pod, f"sets {name}", _CONTEXT, "sysctls", place)


def _set_in(pod: PodTemplate, key: str) -> Iterator[tuple[ContainerPlace | None, Mapping[str, Any]]]:
    """The settings of a key in the security contexts of the Pod (with None) and of its containers."""
    contexts = chain([(None, pod.context)], ((container, container.context) for container in pod.containers))
    for place, context in contexts:
        if isinstance(context.get(key), Mapping):
            yield place, context[key]


def _in_context(pod: PodTemplate, place: ContainerPlace | None, message: str, *steps: str) -> Problem:
    return of_container(place, message, _CONTEXT, *steps) if place else of_pod(pod, message, _CONTEXT, *steps)


CONTROLS: Final = (
    Control(name="HostProcess", judge=_host_process),
    Control(name="Host Namespaces", judge=_host_namespaces),
    Control(name="Privileged Containers", judge=_privileged),
    Control(name="Capabilities", judge=_capabilities),
    Control(name="HostPath Volumes", judge=_host_path),
    Control(name="Host Ports", judge=_host_ports),
    Control(name="Host Probes / Lifecycle Hooks", judge=_host_probes),
    Control(name="AppArmor", judge=_app_armor),
    Control(name="SELinux", judge=_selinux),
    Control(name="/proc Mount Type", judge=_proc_mount),
    Control(name="Seccomp", judge=_seccomp),
    Control(name="Sysctls", judge=_sysctls),
)
