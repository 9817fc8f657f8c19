"""What production asks of a component's objects, and which of it they break.

The levels are those of the Pod Security Standards (kubernetes.io/docs/concepts/security/pod-security-standards), as far
as manifests show them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.manifests.pods import containers_of, pod_of

if TYPE_CHECKING:
    from cluster_forge.catalog.component_format import Exemption
    from cluster_forge.stack.model import Size

_SCALED: Final = frozenset({"Deployment", "StatefulSet"})
_GONE: Final = re.compile(r"(?:(?:docker\.io|registry-1\.docker\.io)/)?bitnami/")
_SECRET_NAME: Final = re.compile(r"passw(?:or)?d|secret_?(?:access_?)?key$|_token$", re.I)
_NO_SECRET: Final = re.compile(r"_(?:file|path|mode|name)$|allow_empty", re.I)
"""Variables that say where a password is, or how it is used."""

_BASELINE_CAPABILITIES: Final = frozenset(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule that an object breaks."""

    rule: str
    object: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.object}: {self.message}"


def breaches(
    manifests: Iterable[Manifest], *, size: Size, level: str, exceptions: Sequence[Exemption] = ()
) -> list[Breach]:
    """Every rule that a component's objects break at a size, but for its exceptions."""
    bodies = [manifest.body for manifest in manifests if not manifest.facts.hook]
    whole = _Whole(bodies)
    rules: list[Callable[[Body], Iterator[Breach]]] = [
        _images,
        _requests,
        _limits,
        _service_types,
        _literals,
        lambda body: _pod_security(body, level),
    ]
    if size != "small":
        rules.append(whole.availability)
    found = [breach for body in bodies for rule in rules for breach in rule(body)]
    return [each for each in found if not is_exempt(each.rule, each.object, exceptions)]


def is_exempt(rule: str, called: str, exceptions: Iterable[Exemption]) -> bool:
    """Whether an object (``Deployment/web``) may break a rule."""
    return any(
        rule == each.rule and any(fnmatchcase(called, pattern) for pattern in _patterns(each)) for each in exceptions
    )


def _patterns(exception: Exemption) -> list[str]:
    return [exception.objects] if isinstance(exception.objects, str) else exception.objects


def _called(body: Body) -> str:
    return f"{body.get('kind')}/{body['metadata'].get('name', '')}"


def _breach(rule: str, body: Body, message: str) -> Breach:
    return Breach(rule=rule, object=_called(body), message=message)


def _images(body: Body) -> Iterator[Breach]:
    for container in containers_of(body):
        image = container.get("image") or ""
        tail = image.rpartition("/")[2]
        if image.endswith(":latest") or (":" not in tail and "@" not in image):
            yield _breach("image-tag", body, f"{container.get('name')} takes {image!r}: no tag, or latest")
        if _GONE.match(image):
            yield _breach("gone-image", body, f"{container.get('name')} takes {image}, which is no longer there")


def _requests(body: Body) -> Iterator[Breach]:
    for container in containers_of(body):
        requests = (container.get("resources") or {}).get("requests") or {}
        missing = [name for name in ("cpu", "memory") if not requests.get(name)]
        if missing:
            yield _breach("requests", body, f"{container.get('name')} requests no {' and no '.join(missing)}")


def _limits(body: Body) -> Iterator[Breach]:
    for container in containers_of(body):
        if not ((container.get("resources") or {}).get("limits") or {}).get("memory"):
            yield _breach("memory-limit", body, f"{container.get('name')} has no memory limit")


def _service_types(body: Body) -> Iterator[Breach]:
    kind = (body.get("spec") or {}).get("type") if body.get("kind") == "Service" else None
    if kind in ("NodePort", "LoadBalancer"):
        yield _breach("service-type", body, f"is a {kind}")


def _literals(body: Body) -> Iterator[Breach]:
    if body.get("kind") == "Secret":
        keys = [key for part in ("data", "stringData") for key, value in (body.get(part) or {}).items() if value]
        if keys:
            yield _breach("literal-secret", body, f"holds {', '.join(keys)}")
    for container in containers_of(body):
        for variable in container.get("env") or ():
            if variable.get("value") and _is_secret(str(variable.get("name"))):
                yield _breach(
                    "literal-secret", body, f"{container.get('name')} gets {variable.get('name')} as plain text"
                )


def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not _NO_SECRET.search(name)


def _pod_security(body: Body, level: str) -> Iterator[Breach]:
    pod = pod_of(body)
    if pod is None or level == "privileged":
        return
    beyond = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    beyond += ["hostPath" for volume in pod.get("volumes") or () if "hostPath" in volume][:1]
    if beyond:
        yield _breach("pod-security", body, f"{', '.join(beyond)} is more than {level} allows")
    for container in containers_of(body):
        context = {**(pod.get("securityContext") or {}), **(container.get("securityContext") or {})}
        wrong = [*_beyond_baseline(container, context), *(_beyond_restricted(context) if level == "restricted" else ())]
        if wrong:
            yield _breach("pod-security", body, f"{container.get('name')}: {', '.join(wrong)}")


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


class _Whole:
    """The rules that look at several objects: who serves traffic, and how it stays there while nodes go."""

    def __init__(self, bodies: Sequence[Body]) -> None:
        self._selectors = [
            (selector, body["metadata"].get("namespace", ""))
            for body in bodies
            if body.get("kind") == "Service" and (selector := (body.get("spec") or {}).get("selector"))
        ]
        self._budgets = [
            (
                ((body.get("spec") or {}).get("selector") or {}).get("matchLabels") or {},
                body["metadata"].get("namespace", ""),
            )
            for body in bodies
            if body.get("kind") == "PodDisruptionBudget"
        ]
        self._autoscaled = {
            body["spec"]["scaleTargetRef"]["name"] for body in bodies if body.get("kind") == "HorizontalPodAutoscaler"
        }

    def availability(self, body: Body) -> Iterator[Breach]:
        """Two replicas, a budget for disruptions, and a spread over nodes, for whatever a Service leads to."""
        if body.get("kind") not in _SCALED:
            return
        spec, namespace = body["spec"], body["metadata"].get("namespace", "")
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        replicas = 1 if spec.get("replicas") is None else spec["replicas"]
        is_scaled = body["metadata"]["name"] in self._autoscaled
        if (replicas == 0 and not is_scaled) or not _selects(self._selectors, labels, namespace):
            return
        if replicas < 2 and not is_scaled:
            yield _breach("replicas", body, f"has {replicas}")
            return
        if not _selects(self._budgets, labels, namespace):
            yield _breach("disruption-budget", body, "no PodDisruptionBudget selects its pods")
        pod = spec["template"]["spec"]
        if not pod.get("topologySpreadConstraints") and not (pod.get("affinity") or {}).get("podAntiAffinity"):
            yield _breach("spread", body, "all its pods may run on one node")


def _selects(selectors: Iterable[tuple[Mapping[str, str], str]], labels: Mapping[str, str], namespace: str) -> bool:
    return any(
        selector and where == namespace and all(labels.get(key) == value for key, value in selector.items())
        for selector, where in selectors
    )
