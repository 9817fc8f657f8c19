"""The objects of a stack, indexed as other objects refer to them: by name, by labels, or as created by an operator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from cluster_forge.checks import workloads
from cluster_forge.checks.workloads import Workload
from cluster_forge.foundation.names import ComponentName
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.label_selector import labels_of, matches
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.operated_kind import OperatedKind

Place = tuple[str, str]
"""A namespace, and a name in it."""

BUILTIN_SERVICES: Final = frozenset({("default", "kubernetes"), ("kube-system", "kube-dns")})
"""Services that every cluster has."""

BUILTIN_NAMESPACES: Final = frozenset({"default", "kube-system"})
"""Namespaces where every cluster has Services and pods of its own."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadPods:
    """The pods of a workload: their namespace, and the names and numbers of the ports that their containers declare."""

    namespace: str
    port_names: frozenset[str]
    port_numbers: frozenset[int]

    def has_port(self, port: object) -> bool:
        """Whether a container declares the port, by name or number."""
        return isinstance(port, str | int) and (port in self.port_names or port in self.port_numbers)


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
        wanted = [label for label in mapping(selector.get("matchLabels")).items() if isinstance(label[1], str)]
        rarest: Sequence[int] = min((self._by_label.get(label, []) for label in wanted), key=len, default=[])
        candidates = (self._things[number] for number in (rarest if wanted else range(len(self._things))))
        return [thing for labels, thing in candidates if matches(selector, labels)]


def in_namespace(labels: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    """Labels of a `LabelIndex` with one for the namespace: the same software may run in many. No label's name has a space."""
    return {**labels, "in namespace": namespace}


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
        self.labeled_services = LabelIndex(
            (labels_of(service.body.get("metadata")), service) for service in self.services.values()
        )
        self.pods = LabelIndex(
            (in_namespace(workload.labels, workload.namespace), _pods(workload)) for workload in workloads.of(manifests)
        )
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
        return bool(operated & set(namespaces) or BUILTIN_NAMESPACES & set(namespaces))

    def pods_of(self, service: Manifest) -> list[WorkloadPods]:
        """The pods that a Service selects; none for one without a selector."""
        selector = mapping(spec_of(service).get("selector"))
        if not selector:
            return []
        return self.pods.selected({"matchLabels": in_namespace(selector, service.id.namespace)})

    def has_storage_class(self, name: str) -> bool:
        """Whether the stack has a StorageClass, also as text in a ConfigMap from which a driver creates it."""
        if ("storage.k8s.io", "StorageClass", "", name) in self.by_id:
            return True
        return any(
            f"name: {name}\n" in text
            for manifest in self._class_texts
            for text in strings_in(manifest.body.get("data"))
        )

    def _namespaces_around(self, manifest: Manifest) -> set[str]:
        """The namespaces of the component of an object, and of the one that defines its kind."""
        identity = manifest.id
        components = {manifest.provenance.component} | self._definers.get((identity.group, identity.kind), set())
        return {namespace for component in components for namespace in self._namespaces[component]}

    @cached_property
    def _definers(self) -> Mapping[tuple[str, str], set[ComponentName]]:
        """The components whose CRDs define a kind."""
        definers: defaultdict[tuple[str, str], set[ComponentName]] = defaultdict(set)
        for manifest in self.by_id.values():
            if manifest.id.kind == CRD_KIND and (kind := manifest.facts.defines):
                definers[kind.group, kind.kind].add(manifest.provenance.component)
        return definers

    @cached_property
    def _namespaces(self) -> Mapping[ComponentName, set[str]]:
        """The namespaces of a component's objects; empty for a cluster-scoped one."""
        namespaces: defaultdict[ComponentName, set[str]] = defaultdict(set)
        for manifest in self.by_id.values():
            namespaces[manifest.provenance.component].add(manifest.id.namespace)
        return namespaces

    def _add_run_time_objects(self, manifest: Manifest) -> None:
        kind = (manifest.id.group, manifest.id.kind)
        namespace, name = manifest.id.namespace, manifest.id.name
        for operated in self._operated.get(kind, ()):
            # A cluster-scoped object has its Pods where its operator or its component is.
            self._operated_namespaces |= {namespace} if namespace else self._namespaces_around(manifest)
            self._operated_services |= {(namespace, service.format(name=name)) for service in operated.services}
            self.secrets |= {(namespace, secret.format(name=name)) for secret in operated.secrets}
        if kind == ("", "Secret"):
            self.secrets.add((namespace, name))
        elif kind == ("cert-manager.io", "Certificate"):
            self.secrets.add((namespace, str(spec_of(manifest).get("secretName"))))
        elif kind == ("external-secrets.io", "ExternalSecret"):
            self.secrets.add((namespace, str(mapping(spec_of(manifest).get("target")).get("name") or name)))


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


def _pods(workload: Workload) -> WorkloadPods:
    ports = [mapping(port) for container in workload.all_containers for port in sequence(container.get("ports"))]
    names, numbers = ([port.get(key) for port in ports] for key in ("name", "containerPort"))
    return WorkloadPods(
        namespace=workload.namespace,
        port_names=frozenset(name for name in names if isinstance(name, str) and name),
        port_numbers=frozenset(number for number in numbers if isinstance(number, int) and number),
    )


def _has_storage_class_text(manifest: Manifest) -> bool:
    return manifest.id.kind == "ConfigMap" and b"kind: StorageClass" in manifest.document.json
