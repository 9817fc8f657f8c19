"""What may be in the cluster although no manifest of the stack has it.

A stack is not alone in its cluster: where it cannot be known whether something is there, it counts as there. What every
cluster has, what controllers and programs of the stack make, and what people are asked for counts as there in any case.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cluster_forge.checks.inventory import Inventory, Place, strings_in
from cluster_forge.checks.workloads import Workload
from cluster_forge.foundation.names import ComponentName
from cluster_forge.foundation.untyped import mapping, sequence, texts
from cluster_forge.graph.object_graph import ObjectGraph
from cluster_forge.graph.reference import Target
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.kubernetes_apis import BUILT_IN_NAMESPACES
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.model import Stack

_RBAC: Final = "rbac.authorization.k8s.io"
_OF_EVERY_CLUSTER: Final[frozenset[tuple[str, str, str]]] = frozenset(
    {
        ("", "ServiceAccount", "default"),
        ("", "ConfigMap", "kube-root-ca.crt"),
        ("scheduling.k8s.io", "PriorityClass", "system-cluster-critical"),
        ("scheduling.k8s.io", "PriorityClass", "system-node-critical"),
        *((_RBAC, "ClusterRole", name) for name in ("cluster-admin", "admin", "edit", "view")),
    }
)
_MADE_BY_DRIVERS: Final = frozenset(
    {
        ("storage.k8s.io", "CSIDriver"),
        ("node.k8s.io", "RuntimeClass"),
        ("gateway.networking.k8s.io", "GatewayClass"),
        ("", "PersistentVolume"),
    }
)
"""Kinds whose objects drivers and controllers register themselves, as many do with their own class."""
_CLASSES: Final[Mapping[tuple[str, str], str]] = {
    ("storage.k8s.io", "StorageClass"): "storage-class",
    ("networking.k8s.io", "IngressClass"): "ingress",
}
"""Kinds that a target with the capability has under names of its own."""
_MADE_FOR_OTHERS: Final = frozenset({"Secret", "ConfigMap", "Service", "ServiceAccount", "PersistentVolumeClaim"})
_SYSTEM: Final = frozenset(BUILT_IN_NAMESPACES - {"default"})
_TOKEN: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_POD_FIELDS: Final = frozenset(
    {"replicas", "instances", "image", "pools", "nodeSets", "podTemplate", "mode", "components"}
)
"""Fields by which custom resources describe Pods that their operator makes."""


@dataclass(frozen=True, kw_only=True)
class Presence:
    """What counts as there for the objects of a stack; the fields are those of `CheckedStack`."""

    stack: Stack
    is_closed: bool
    graph: ObjectGraph
    inventory: Inventory
    workloads_in: Mapping[str, Sequence[Workload]]

    def has(self, target: Target, named_by: Manifest) -> bool:
        """Whether an object is in the stack, will be made, or may be there for all that is known."""
        group, kind, namespace, name = target
        if target in self.graph.objects or target in self.graph.made or self._is_built_in(target):
            return True
        if self.graph.scopes.is_namespaced(group, kind) is None or group in self.stack.target.provides:
            return True
        if namespace and not self.knows(namespace, named_by):
            return True
        if (group, kind) in _CLASSES:
            return self._has_class(group, kind, name)
        if kind == "Secret" and (namespace, name) in self.inventory.secrets:
            return True
        return not group and kind in _MADE_FOR_OTHERS and self._may_be_made(kind, (namespace, name), named_by)

    def knows(self, namespace: str, named_by: Manifest) -> bool:
        """Whether the stack has what is in a namespace: it runs something there, or it is the component's own."""
        if self.is_closed:
            return namespace not in _SYSTEM
        return namespace not in _SYSTEM and (
            namespace in self.workloads_in or namespace == self._home.get(named_by.provenance.component)
        )

    def has_foreign_pods(self, namespace: str) -> bool:
        """Whether a namespace may have Pods and Services that no manifest has: those of operators, or the cluster's own."""
        return (
            namespace in BUILT_IN_NAMESPACES
            or self.inventory.is_operated((namespace,))
            or (not self.is_closed and any(map(_describes_pods, self._custom_in[namespace])))
        )

    def may_have_label(self, namespace: str, label: str, named_by: Manifest) -> bool:
        """Whether Pods of a namespace may have a label that no template has: software marks its own Pods, such as the leader."""
        if any(label in workload.labels for workload in self.workloads_in.get(namespace, ())):
            return False
        return named_by.provenance.component in self._pod_writers

    def _is_built_in(self, target: Target) -> bool:
        group, kind, _, name = target
        return (
            (group, kind, name) in _OF_EVERY_CLUSTER
            or (group, kind) in _MADE_BY_DRIVERS
            or (group == _RBAC and name.startswith("system:"))
        )

    def _has_class(self, group: str, kind: str, name: str) -> bool:
        """Whether a class may be there; without any in the stack the target has them, or `missing-provider` says so."""
        if _CLASSES[group, kind] in self.stack.target.provides or not self.graph.of_kind.get((group, kind), ()):
            return (
                kind != "StorageClass"
                or not self.inventory.has_storage_classes
                or self.inventory.has_storage_class(name)
            )
        return kind == "StorageClass" and self.inventory.has_storage_class(name)

    def _may_be_made(self, kind: str, place: Place, named_by: Manifest) -> bool:
        """Whether something of the stack may make an object at run time, as its texts, its rights or its name show."""
        namespace, name = place
        if self.is_closed:
            return kind == "Service" and self.inventory.is_created_at_run_time(place)
        others = (custom for custom in self._custom_in[namespace] if custom is not named_by)
        if any(name == custom.id.name or name.startswith(f"{custom.id.name}-") for custom in others):
            return True
        if kind in ("Secret", "ConfigMap") and name in self._texts_in(namespace):
            return True
        component = named_by.provenance.component
        return (
            kind == "Secret" and component in self._may_create_secrets and name not in self._names_in_values(component)
        )

    @cached_property
    def _home(self) -> Mapping[ComponentName, str]:
        return {component.name: component.namespace for component in self.stack.components}

    @cached_property
    def _custom_in(self) -> Mapping[str, list[Manifest]]:
        """The custom resources by namespace."""
        resources: defaultdict[str, list[Manifest]] = defaultdict(list)
        for manifest in self.graph.manifests:
            if "." in manifest.id.group and not kubernetes_apis.is_built_in(manifest.id.group):
                resources[manifest.id.namespace].append(manifest)
        return resources

    def _texts_in(self, namespace: str) -> frozenset[str]:
        """The words in the arguments and variables of a namespace's containers: a program may make what it is given the name of."""
        if namespace not in self._texts:
            self._texts[namespace] = frozenset(_words(_texts_of(self.workloads_in.get(namespace, ()))))
        return self._texts[namespace]

    @cached_property
    def _texts(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _may_create_secrets(self) -> frozenset[ComponentName]:
        """The components with a role that may create Secrets."""
        return self._with_rights("secrets", frozenset({"create", "*"}))

    @cached_property
    def _pod_writers(self) -> frozenset[ComponentName]:
        """The components with a role that may change Pods."""
        return self._with_rights("pods", frozenset({"update", "patch", "*"}))

    def _with_rights(self, resource: str, verbs: frozenset[str]) -> frozenset[ComponentName]:
        roles = (*self.graph.of_kind.get((_RBAC, "Role"), ()), *self.graph.of_kind.get((_RBAC, "ClusterRole"), ()))
        return frozenset(
            role.provenance.component for role in roles if any(_allows(rule, resource, verbs) for rule in _rules(role))
        )

    def _names_in_values(self, component: ComponentName) -> frozenset[str]:
        """The words in a component's values: a Secret that the user names is one that the user makes."""
        if component not in self._words_in_values:
            self._words_in_values[component] = frozenset(_words(strings_in(self._values.get(component, {}))))
        return self._words_in_values[component]

    @cached_property
    def _words_in_values(self) -> dict[ComponentName, frozenset[str]]:
        return {}

    @cached_property
    def _values(self) -> Mapping[ComponentName, Mapping[str, Any]]:
        return {component.name: component.values for component in self.stack.components}


def _texts_of(workloads: Iterable[Workload]) -> Iterator[str]:
    for workload in workloads:
        for container in workload.all_containers:
            yield from strings_in([container.get("command"), container.get("args")])
            yield from (
                text
                for variable in sequence(container.get("env"))
                if isinstance(text := mapping(variable).get("value"), str)
            )


def _words(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from _TOKEN.findall(text)


def _rules(role: Manifest) -> Iterable[Mapping[str, Any]]:
    return map(mapping, sequence(role.body.get("rules")))


def _allows(rule: Mapping[str, Any], resource: str, verbs: frozenset[str]) -> bool:
    resources = sequence(rule.get("resources"))
    return (resource in resources or "*" in resources) and not verbs.isdisjoint(texts(rule.get("verbs")))


def _describes_pods(custom: Manifest) -> bool:
    return not _POD_FIELDS.isdisjoint(mapping(custom.body.get("spec")))
