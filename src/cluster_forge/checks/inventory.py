"""What is in a stack, as other objects ask for it: by name, by labels, or as something that an operator will make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.manifests.pods import containers_of, pod_of

Place = tuple[str, str]
"""A namespace, and a name in it."""

GIVEN_SERVICES: Final = frozenset({("default", "kubernetes"), ("kube-system", "kube-dns")})
"""Services that every cluster has."""

GIVEN_NAMESPACES: Final = frozenset({"default", "kube-system"})
"""Where every cluster has Services and pods that stand in no stack."""

_POD_MAKERS: Final = frozenset({"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorProducts:
    """What an operator makes of one object; ``{}`` is the object's name."""

    services: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


OPERATED: Final[Mapping[tuple[str, str], OperatorProducts]] = {
    ("amd.com", "DeviceConfig"): OperatorProducts(),
    ("gateway.networking.k8s.io", "Gateway"): OperatorProducts(services=("{}",)),
    ("minio.min.io", "Tenant"): OperatorProducts(services=("minio", "{}-hl", "{}-console")),
    ("monitoring.coreos.com", "Alertmanager"): OperatorProducts(services=("alertmanager-operated",)),
    ("monitoring.coreos.com", "Prometheus"): OperatorProducts(services=("prometheus-operated",)),
    ("monitoring.coreos.com", "ThanosRuler"): OperatorProducts(services=("thanos-ruler-operated",)),
    ("nvidia.com", "ClusterPolicy"): OperatorProducts(),
    ("opentelemetry.io", "OpenTelemetryCollector"): OperatorProducts(
        services=("{}-collector", "{}-collector-headless")
    ),
    ("postgresql.cnpg.io", "Cluster"): OperatorProducts(
        services=("{}-rw", "{}-ro", "{}-r"), secrets=("{}-app", "{}-superuser", "{}-ca", "{}-server", "{}-replication")
    ),
    ("psmdb.percona.com", "PerconaServerMongoDB"): OperatorProducts(),
    ("rabbitmq.com", "RabbitmqCluster"): OperatorProducts(services=("{}", "{}-nodes"), secrets=("{}-default-user",)),
    ("ray.io", "RayCluster"): OperatorProducts(services=("{}-head-svc",)),
}
"""Objects of which operators make pods and Services at run time, by group and kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pods:
    """The pods that a workload makes."""

    namespace: str
    names: frozenset[str]
    """Names of the ports that their containers declare."""
    numbers: frozenset[int]

    def has(self, port: object) -> bool:
        """Whether a container declares the port, by name or number."""
        return port in self.names or port in self.numbers


class Labelled(Generic[_T]):
    """Things by their labels, asked for by label selectors."""

    def __init__(self, things: Iterable[tuple[Mapping[str, str], _T]]) -> None:
        self._things = list(things)
        self._by_pair: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, (labels, _) in enumerate(self._things):
            for pair in labels.items():
                self._by_pair[pair].append(number)

    def selected(self, selector: Mapping[str, Any]) -> list[_T]:
        """What a LabelSelector (``matchLabels``, ``matchExpressions``) selects; an empty one selects all."""
        pairs = list((selector.get("matchLabels") or {}).items())
        expressions = selector.get("matchExpressions") or ()
        rarest: Sequence[int] = min((self._by_pair.get(pair, []) for pair in pairs), key=len, default=[])
        candidates = (self._things[number] for number in (rarest if pairs else range(len(self._things))))
        return [
            thing
            for labels, thing in candidates
            if all(labels.get(key) == value for key, value in pairs)
            and all(_meets(labels, expression) for expression in expressions)
        ]


class Inventory:
    """The objects of a stack, indexed once; ``secrets`` are those that others make."""

    def __init__(self, manifests: Sequence[Manifest], secrets: Collection[Place] = ()) -> None:
        self.named = {(each.id.group, each.id.kind, each.id.namespace, each.id.name): each for each in manifests}
        self.services = {
            (each.id.namespace, each.id.name): each
            for each in manifests
            if (each.id.group, each.id.kind) == ("", "Service")
        }
        self.labelled_services = Labelled((_labels(each.body), each) for each in self.services.values())
        self.pods = Labelled(pods for each in manifests for pods in _pods(each))
        self._storage_makers = [each for each in manifests if _makes_storage_classes(each)]
        self.has_storage_classes = bool(self._storage_makers) or any(
            each.id.kind == "StorageClass" for each in manifests
        )
        self.operated: set[str] = set()
        """Namespaces in which an operator makes pods and Services; an empty one stands for all."""
        self.services_to_come: set[Place] = set()
        self.secrets: set[Place] = set(secrets)
        for each in manifests:
            self._expect(each)

    def service_of(self, place: Place) -> Manifest | None:
        return self.services.get(place)

    def is_to_come(self, place: Place) -> bool:
        """Whether a Service is there in every cluster, or an operator will make it."""
        return place in GIVEN_SERVICES or place in self.services_to_come

    def is_operated(self, namespaces: Collection[str]) -> bool:
        """Whether pods or Services of these namespaces may stand in no manifest."""
        return bool("" in self.operated or self.operated & set(namespaces) or GIVEN_NAMESPACES & set(namespaces))

    def behind(self, service: Manifest) -> list[Pods]:
        """The pods that a Service leads to; none where somebody else says where it leads."""
        selector = spec_of(service).get("selector")
        if not selector:
            return []
        found = self.pods.selected({"matchLabels": selector})
        return [each for each in found if each.namespace == service.id.namespace]

    def has_storage_class(self, name: str) -> bool:
        """Whether a StorageClass stands in the stack, or as text in a ConfigMap of which a driver makes it."""
        if ("storage.k8s.io", "StorageClass", "", name) in self.named:
            return True
        return any(f"name: {name}\n" in text for each in self._storage_makers for text in texts(each.body.get("data")))

    def _expect(self, manifest: Manifest) -> None:
        kind = (manifest.id.group, manifest.id.kind)
        namespace, name = manifest.id.namespace, manifest.id.name
        made = OPERATED.get(kind)
        if made:
            self.operated.add(namespace)
            self.services_to_come |= {(namespace, each.format(name)) for each in made.services}
            self.secrets |= {(namespace, each.format(name)) for each in made.secrets}
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


def texts(value: Any) -> Iterable[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def _labels(body: Body) -> Mapping[str, str]:
    return body["metadata"].get("labels") or {}


def _pods(manifest: Manifest) -> Iterable[tuple[Mapping[str, str], Pods]]:
    if manifest.id.kind not in _POD_MAKERS or pod_of(manifest.body) is None:
        return  # most objects, and the largest, never become trees
    template: Any = manifest.body
    if manifest.id.kind != "Pod":
        spec = manifest.body["spec"]
        template = (spec["jobTemplate"]["spec"] if manifest.id.kind == "CronJob" else spec)["template"]
    ports = [port for each in containers_of(manifest.body) for port in each.get("ports") or ()]
    pods = Pods(
        namespace=manifest.id.namespace,
        names=frozenset(port["name"] for port in ports if port.get("name")),
        numbers=frozenset(port["containerPort"] for port in ports if port.get("containerPort")),
    )
    yield (template.get("metadata") or {}).get("labels") or {}, pods


def _makes_storage_classes(manifest: Manifest) -> bool:
    return manifest.id.kind == "ConfigMap" and b"kind: StorageClass" in manifest.document.json


def _meets(labels: Mapping[str, str], expression: Mapping[str, Any]) -> bool:
    key, operator = expression["key"], expression["operator"]
    values: Sequence[str] = expression.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return (key in labels) is (operator == "Exists")
