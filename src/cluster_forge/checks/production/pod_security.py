"""Pods keep the Pod Security level of their component, as far as manifests show it.

The levels are those of the Pod Security Standards (kubernetes.io/docs/concepts/security/pod-security-standards).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import containers_of, pod_of

CODE = "pod-security"
_BASELINE_CAPABILITIES: Final = frozenset(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)
_FIX: Final = "set `securityContext` in the values, or another `podSecurity` level"


def findings(manifest: Manifest, component: CheckedComponent) -> Iterator[Finding]:
    pod, level = pod_of(manifest.body), component.level
    if pod is None or level == "privileged":
        return
    beyond = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    beyond += ["hostPath" for volume in pod.get("volumes") or () if "hostPath" in volume][:1]
    if beyond:
        yield report.error(manifest, CODE, f"level {level} does not allow {', '.join(beyond)}", fix=_FIX)
    for container in containers_of(manifest.body):
        context = {**(pod.get("securityContext") or {}), **(container.get("securityContext") or {})}
        wrong = [*_beyond_baseline(container, context), *(_beyond_restricted(context) if level == "restricted" else ())]
        if wrong:
            yield report.error(manifest, CODE, f"container {container.get('name')}: {', '.join(wrong)}", fix=_FIX)


def _beyond_baseline(container: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[str]:
    if context.get("privileged"):
        yield "privileged"
    if set((context.get("capabilities") or {}).get("add") or ()) - _BASELINE_CAPABILITIES:
        yield "adds capabilities"
    if any(port.get("hostPort") for port in container.get("ports") or ()):
        yield "has a host port"


def _beyond_restricted(context: Mapping[str, Any]) -> Iterator[str]:
    if context.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if "ALL" not in ((context.get("capabilities") or {}).get("drop") or ()):
        yield "does not drop ALL capabilities"
    if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
        yield "may run as root"
    if (context.get("seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "has no seccomp profile"
