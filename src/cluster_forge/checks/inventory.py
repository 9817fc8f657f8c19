"""The objects of a stack, indexed as other objects refer to them: by name, by labels, or as created by an operator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.manifests.pods import containers_of, pod_of

Place = tuple[str, str]
"""A namespace, and a name in it."""

BUILTIN_SERVICES: Final = frozenset({("default", "kubernetes"), ("kube-system", "kube-dns")})
"""Services that every cluster has."""

BUILTIN_NAMESPACES: Final = frozenset({"default", "kube-system"})
"""Namespaces where every cluster has Services and pods of its own."""

_WORKLOADS: Final = frozenset({"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatedKind:
    """A kind of object for which an operator creates pods, Services and Secrets at run time.

    ``{name}`` in the names of ``services`` and ``secrets`` is the object's name.
    """

    group: str
    kind: str
    services: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadPods:
    """The pods of a workload: their namespace, and the names and numbers of the ports that their containers declare."""

    namespace: str
    port_names: frozenset[str]
    port_numbers: frozenset[int]

    def has_port(self, port: object) -> bool:
        """Whether a container declares the port, by name or number."""
        return port in self.port_names or port in self.port_numbers


class LabelIndex(Generic[_T]):
    """Things by their labels, found by label selectors."""

    def __init__(self, things: Iterable[tuple[Mapping[str, str], _T]]) -> None:
        self._things = list(things)
        self._by_label: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, (labels, _) in enumerate(self._things):
            for label in labels.items():
                self._by_label[label].append(number)

    def selected(self, selector: Mapping[str, Any]) -> list[_T]:
        """What a LabelSelector (``matchLabels``, ``matchExpressions``) selects; an empty one selects all."""
        wanted = list((selector.get("matchLabels") or {}).items())
        expressions = selector.get("matchExpressions") or ()
        rarest: Sequence[int] = min((self._by_label.get(label, []) for label in wanted), key=len, default=[])
        candidates = (self._things[number] for number in (rarest if wanted else range(len(self._things))))
        return [
            thing
            for labels, thing in candidates
            if all(labels.get(key) == value for key, value in wanted)
            and all(_matches(labels, expression) for expression in expressions)
        ]


class Inventory:
    """The objects of a stack, indexed once; ``secrets`` are those that the stack does not contain and may refer to."""

    def __init__(
        self, manifests: Sequence[Manifest], *, secrets: Collection[Place] = (), operated: Iterable[OperatedKind] = ()
    ) -> None:
        self.by_id = {
            (manifest.id.group, manifest.id.kind, manifest.id.namespace, manifest.id.name): manifest
            for manifest in manifests
        }
        self.services = {
            (manifest.id.namespace, manifest.id.name): manifest
            for manifest in manifests
            if (manifest.id.group, manifest.id.kind) == ("", "Service")
        }
        self.labeled_services = LabelIndex((_labels(service.body), service) for service in self.services.values())
        self.pods = LabelIndex(pods for manifest in manifests for pods in _pods(manifest))
        self._class_texts = [manifest for manifest in manifests if _has_storage_class_text(manifest)]
        self.has_storage_classes = bool(self._class_texts) or any(
            manifest.id.kind == "StorageClass" for manifest in manifests
        )
        self.secrets: set[Place] = set(secrets)
        self._operated_namespaces: set[str] = set()
        self._operated_services: set[Place] = set()
        self._operated: defaultdict[tuple[str, str], list[OperatedKind]] = defaultdict(list)
        for kind in operated:
            self._operated[kind.group, kind.kind].append(kind)
        for manifest in manifests:
            self._add_run_time_objects(manifest)

    def is_created_at_run_time(self, service: Place) -> bool:
        """Whether every cluster has a Service, or an operator creates it."""
        return service in BUILTIN_SERVICES or service in self._operated_services

    def is_operated(self, namespaces: Collection[str]) -> bool:
        """Whether these namespaces may have pods or Services that are in no manifest."""
        operated = self._operated_namespaces
        return bool("" in operated or operated & set(namespaces) or BUILTIN_NAMESPACES & set(namespaces))

    def pods_of(self, service: Manifest) -> list[WorkloadPods]:
        """The pods that a Service selects; none for one without a selector."""
        selector = spec_of(service).get("selector")
        if not selector:
            return []
        return [
            pods for pods in self.pods.selected({"matchLabels": selector}) if pods.namespace == service.id.namespace
        ]

    def has_storage_class(self, name: str) -> bool:
        """Whether the stack has a StorageClass, also as text in a ConfigMap from which a driver creates it."""
        if ("storage.k8s.io", "StorageClass", "", name) in self.by_id:
            return True
        return any(
            f"name: {name}\n" in text
            for manifest in self._class_texts
            for text in strings_in(manifest.body.get("data"))
        )

    def _add_run_time_objects(self, manifest: Manifest) -> None:
        kind = (manifest.id.group, manifest.id.kind)
        namespace, name = manifest.id.namespace, manifest.id.name
        for operated in self._operated.get(kind, ()):
            self._operated_namespaces.add(namespace)
            self._operated_services |= {(namespace, service.format(name=name)) for service in operated.services}
            self.secrets |= {(namespace, secret.format(name=name)) for secret in operated.secrets}
        if kind == ("", "Secret"):
            self.secrets.add((namespace, name))
        elif kind == ("cert-manager.io", "Certificate"):
            self.secrets.add((namespace, str(spec_of(manifest).get("secretName"))))
        elif kind == ("external-secrets.io", "ExternalSecret"):
            self.secrets.add((namespace, (spec_of(manifest).get("target") or {}).get("name") or name))


def spec_of(manifest: Manifest) -> Mapping[str, Any]:
    """An object's ``spec``; an empty one if it has none."""
    spec = manifest.body.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def strings_in(value: Any) -> Iterator[str]:
    """Every string in nested mappings and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from strings_in(member)
    elif isinstance(value, list):
        for item in value:
            yield from strings_in(item)


def _labels(body: Body) -> Mapping[str, str]:
    return body["metadata"].get("labels") or {}


def _pods(manifest: Manifest) -> Iterator[tuple[Mapping[str, str], WorkloadPods]]:
    if manifest.id.kind not in _WORKLOADS or pod_of(manifest.body) is None:
        return  # most objects, and the largest, never become trees
    template: Any = manifest.body
    if manifest.id.kind != "Pod":
        spec = manifest.body["spec"]
        template = (spec["jobTemplate"]["spec"] if manifest.id.kind == "CronJob" else spec)["template"]
    ports = [port for container in containers_of(manifest.body) for port in container.get("ports") or ()]
    pods = WorkloadPods(
        namespace=manifest.id.namespace,
        port_names=frozenset(port["name"] for port in ports if port.get("name")),
        port_numbers=frozenset(port["containerPort"] for port in ports if port.get("containerPort")),
    )
    yield (template.get("metadata") or {}).get("labels") or {}, pods


def _has_storage_class_text(manifest: Manifest) -> bool:
    return manifest.id.kind == "ConfigMap" and b"kind: StorageClass" in manifest.document.json


def _matches(labels: Mapping[str, str], expression: Mapping[str, Any]) -> bool:
    key, operator = expression["key"], expression["operator"]
    values: Sequence[str] = expression.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return (key in labels) is (operator == "Exists")
