"""What the API server adds to Pods and workloads before policies see them: the defaults that policies ask for.

Source: Kubernetes API, "PodSpec", "Container", "Deployment" and their like; ``k8s.io/kubernetes/pkg/apis/*/v1/defaults.go``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.identity import group_of
from cluster_forge.manifests.pods import TEMPLATES

_POD: Final[Mapping[str, Any]] = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "serviceAccountName": "default",
    "serviceAccount": "default",
    "terminationGracePeriodSeconds": 30,
    "enableServiceLinks": True,
}
_CONTAINER: Final[Mapping[str, Any]] = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")
_LIMITED: Final = ("containers", "initContainers")
_REPLICATED: Final = frozenset(["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"])
_SERVICE: Final[Mapping[str, Any]] = {"type": "ClusterIP", "sessionAffinity": "None"}


def without_nulls(value: Any) -> Any:
    """The value as a built-in kind has it: a field that is null is absent there."""
    if isinstance(value, Mapping):
        return {key: without_nulls(entry) for key, entry in value.items() if entry is not None}
    return [without_nulls(entry) for entry in value] if isinstance(value, list) else value


def of(body: Mapping[str, Any], *, is_created: bool = True) -> Mapping[str, Any]:
    """The object with defaults; others than Pods, workloads and Services stay as they are.

    ``is_created``: a Pod is one of its own, not what a workload has as its template.
    """
    kind = (group_of(str(body.get("apiVersion", ""))), str(body.get("kind", "")))
    if kind == ("", "Service"):
        return {**body, "spec": {**_SERVICE, **mapping(body.get("spec"))}}
    if kind == ("", "Pod"):
        return {**body, "spec": _pod(mapping(body.get("spec")), is_created=is_created)}
    steps = TEMPLATES.get(kind)
    if not steps:
        return body
    changed = _at_template(body, steps)
    if kind[1] in _REPLICATED:
        changed["spec"] = {"replicas": 1, **mapping(changed.get("spec"))}
    return changed


def _at_template(body: Mapping[str, Any], steps: tuple[str, ...]) -> dict[str, Any]:
    if not steps:
        return {**body, "spec": _pod(mapping(body.get("spec")), is_created=False)}
    return {**body, steps[0]: _at_template(mapping(body.get(steps[0])), steps[1:])}


def _pod(spec: Mapping[str, Any], *, is_created: bool) -> dict[str, Any]:
    """The spec of a Pod, or of a template, to which nothing adds a ServiceAccount."""
    accounts = ("serviceAccountName", "serviceAccount")
    added = {key: value for key, value in _POD.items() if is_created or key not in accounts}
    lists: dict[str, Any] = {}
    for name in _CONTAINERS:
        if name in spec:
            lists[name] = [_container(mapping(container)) for container in sequence(spec[name])]
    if is_created:
        lists |= {name: [_with_requests(one) for one in lists[name]] for name in _LIMITED if name in lists}
    return {**added, **spec, **lists}


def _with_requests(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container of a Pod, which requests what it is limited to where it says nothing else; that of a template does not."""
    resources = mapping(container.get("resources"))
    limits = mapping(resources.get("limits"))
    if not limits:
        return container
    return {**container, "resources": {**resources, "requests": {**limits, **mapping(resources.get("requests"))}}}


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    image = container.get("image")
    name = image.rpartition("/")[2] if isinstance(image, str) else ""
    is_latest = "@" not in name and (":" not in name or name.endswith(":latest"))
    ports = [{"protocol": "TCP", **mapping(port)} for port in sequence(container.get("ports"))]
    return {
        **_CONTAINER,
        "imagePullPolicy": "Always" if is_latest else "IfNotPresent",
        **container,
        **({"ports": ports} if ports else {}),
    }
