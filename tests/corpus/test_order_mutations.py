"""Real objects in two components, with one dependency planted: the order follows, and `explain order` says why.

Each sort of edge of the graph (`graph.edge.Reason`) is planted at least ten times. What is planted is moved out of the
component that has it, or written into a real object that did not need it; without it the two have no order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.corpus import plants
from tests.corpus.plants import LEAST, MOST, planted, put

from cluster_forge.catalog import readiness_index
from cluster_forge.foundation.names import ComponentName
from cluster_forge.graph.edge import Edge, Reason
from cluster_forge.graph.object_graph import ObjectGraph
from cluster_forge.graph.reference import Strength
from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.assembly import ordering
from cluster_forge.stages.build.assembly.assemble import Assembly
from cluster_forge.stages.explain import explain_order

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

MINOR: Final = 33
EARLY: Final = ComponentName("zulu")
LATE: Final = ComponentName("alpha")
"""By name the other way round, so that no order comes from that."""
STACK: Final = Stack(name="shop", components=(Component(name=EARLY), Component(name=LATE)))


@dataclass(frozen=True)
class Mutation:
    """``early`` has the object ``target``, and ``late`` depends on it by its object ``source``; ``others`` is ``late`` without that."""

    early: Sequence[Manifest]
    late: Sequence[Manifest]
    source: Manifest
    target: Manifest
    others: Sequence[Manifest] = ()


def of(component: ComponentName, *manifests: Manifest) -> list[Manifest]:
    place = Provenance(component=component, origin=f"{component}/templates/all.yaml:1")
    return [replace(one, provenance=place) for one in manifests]


def assembled(early: Iterable[Manifest], late: Iterable[Manifest]) -> Assembly:
    objects = {EARLY: of(EARLY, *early), LATE: of(LATE, *late)}
    scopes = Scopes.of(MINOR, [*objects[EARLY], *objects[LATE]])
    graph, order = ordering.ordered(STACK, objects, scopes)
    parts = tuple(ordering.parts(STACK, order, {}))
    return Assembly(parts=parts, graph=graph, order=order, later_hooks=(), findings=(), manifests={})


def explained(assembly: Assembly) -> list[str]:
    """What `explain order` says of the component that comes later."""
    component = explain_order.of(assembly, frozenset()).component(LATE)
    return [reason for one in component.after if one.name == EARLY for reason in one.link.reasons]


def edge_between(graph: ObjectGraph, mutation: Mutation, reason: Reason) -> Edge:
    (edge,) = {
        (edge.source.id, edge.target.id): edge
        for edge in graph.outgoing.get(mutation.source.id, ())
        if edge.target.id == mutation.target.id and edge.reason is reason
    }.values()
    return edge


def workloads(objects: list[Manifest]) -> list[Manifest]:
    return plants.of_kinds(objects, "Deployment", "StatefulSet", "DaemonSet")


def moved(manifest: Manifest, namespace: str) -> Manifest:
    return planted(manifest, put("metadata", "namespace", value=namespace))


def mount(**volume: Any) -> plants.Change:
    return lambda body: plants.pod(body).update(volumes=[{"name": "planted", **volume}])


def set_in_pod(**fields: Any) -> plants.Change:
    return lambda body: plants.pod(body).update(fields)


NAMED: Final[dict[str, Callable[[str], plants.Change]]] = {
    "Secret": lambda name: mount(secret={"secretName": name}),
    "ConfigMap": lambda name: mount(configMap={"name": name}),
    "ServiceAccount": lambda name: set_in_pod(serviceAccountName=name),
    "PersistentVolumeClaim": lambda name: mount(persistentVolumeClaim={"claimName": name}),
    "PriorityClass": lambda name: set_in_pod(priorityClassName=name),
    "RuntimeClass": lambda name: set_in_pod(runtimeClassName=name),
    "StorageClass": lambda name: mount(
        ephemeral={"volumeClaimTemplate": {"spec": {"storageClassName": name}}}
    ),
}  # fmt: skip
APIS: Final = {
    "PersistentVolumeClaim": "v1",
    "PriorityClass": "scheduling.k8s.io/v1",
    "RuntimeClass": "node.k8s.io/v1",
    "StorageClass": "storage.k8s.io/v1",
}
CLUSTER_WIDE: Final = frozenset({"PriorityClass", "RuntimeClass", "StorageClass"})


def named(kind: str, objects: list[Manifest]) -> Iterator[Mutation]:
    """A workload that names an object of another component: a real one of its kind, or one with a real name."""
    known = plants.of_kinds(objects, kind if kind not in APIS else "ServiceAccount")
    for user, given in zip(workloads(objects), known, strict=False):
        target = moved(planted(given, put("metadata", "name", value=f"{given.id.name}-planted")), user.id.namespace)
        if kind in APIS:
            metadata = {"name": target.id.name} | ({} if kind in CLUSTER_WIDE else {"namespace": user.id.namespace})
            body = {"apiVersion": APIS[kind], "kind": kind, "metadata": metadata}
            target = Manifest.of(body, given.provenance)
        plain = planted(user, lambda body: (plants.pod(body).pop("serviceAccountName", None), body["spec"].pop("volumeClaimTemplates", None)))  # fmt: skip
        source = planted(plain, NAMED[kind](target.id.name))
        if target.id != user.id:
            yield Mutation([target], [source], source, target, [plain])


def issued(objects: list[Manifest]) -> Iterator[Mutation]:
    """A workload with the Secret that a controller makes for a Certificate of another component."""
    for user in workloads(objects):
        metadata = {"name": user.id.name, "namespace": user.id.namespace}
        spec = {"secretName": f"{user.id.name}-planted", "issuerRef": {"name": "ca"}}
        target = Manifest.of(
            {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": metadata, "spec": spec},
            user.provenance,
        )
        source = planted(user, mount(secret={"secretName": spec["secretName"]}))
        yield Mutation([target], [source], source, target, [user])


def defined(objects: list[Manifest]) -> Iterator[Mutation]:
    """A custom resource whose CRD is in another component."""
    for definition in plants.of_kinds(objects, CRD_KIND):
        if resource := resource_of(definition):
            yield Mutation([definition], [resource], resource, definition)


def resource_of(definition: Manifest, version: str = "") -> Manifest | None:
    """An object of the kind that a CRD defines, in a namespace of its own if it has one."""
    kind = definition.facts.defines
    if kind is None:
        return None
    metadata = {"name": "planted"} | ({"namespace": "planted"} if kind.namespaced else {})
    api = f"{kind.group}/{version or kind.versions[0]}"
    return Manifest.of({"apiVersion": api, "kind": kind.kind, "metadata": metadata}, definition.provenance)


def services(objects: list[Manifest]) -> list[tuple[Manifest, Manifest]]:
    """Services, each with the one workload that it selects, of as many components as there are."""
    graph = ObjectGraph(objects, Scopes.of(MINOR, objects))
    served = ((one, graph.workloads.served_by(one)) for one in plants.of_kinds(objects, "Service"))
    return [(service, behind[0]) for service, behind in served if len(behind) == 1]


def called(objects: list[Manifest]) -> Iterator[Mutation]:
    """A webhook, and the workload behind its Service in another component."""
    for service, workload in services(objects):
        config = {"service": {"name": service.id.name, "namespace": service.id.namespace, "path": "/"}}
        webhook = {"name": "planted.example.com", "clientConfig": config, "rules": []}
        body = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": service.id.name},
        }
        source = Manifest.of({**body, "webhooks": [webhook]}, service.provenance)
        yield Mutation([service, workload], [source], source, workload, [Manifest.of(body, service.provenance)])


def converted(objects: list[Manifest]) -> Iterator[Mutation]:
    """An object of a version that is not stored, and the workload that converts it."""
    plain = (planted(one, plants.drop("spec", "conversion")) for one in plants.of_kinds(objects, CRD_KIND))
    definitions = [one for one in plain if one.facts.defines and len(one.facts.defines.versions) > 1]
    for definition, (service, workload) in zip(definitions, services(objects), strict=False):
        config = {"service": {"name": service.id.name, "namespace": service.id.namespace}}
        conversion = {"strategy": "Webhook", "webhook": {"clientConfig": config, "conversionReviewVersions": ["v1"]}}
        changed = planted(definition, put("spec", "conversion", value=conversion))
        stored = {one["name"] for one in definition.body["spec"]["versions"] if one.get("storage")}
        assert changed.facts.defines
        version = next(one for one in changed.facts.defines.versions if one not in stored)
        resource = resource_of(changed, version)
        assert resource
        yield Mutation([service, workload], [changed, resource], resource, workload, [definition])


def admitted(objects: list[Manifest]) -> Iterator[Mutation]:
    """A workload that asks by a label for the webhook of another component."""
    for user in workloads(objects):
        rule = {"apiGroups": ["apps"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"]}
        webhook = {
            "name": "planted.example.com",
            "rules": [rule],
            "objectSelector": {"matchLabels": {"planted": "true"}},
        }
        body = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "planted"},
            "webhooks": [webhook],
        }
        target = Manifest.of(body, user.provenance)
        source = planted(user, put("metadata", "labels", "planted", value="true"))
        yield Mutation([target], [source], source, target, [user])


def allowed(objects: list[Manifest]) -> Iterator[Mutation]:
    """A workload, and the binding of its ServiceAccount in another component."""
    graph = ObjectGraph(objects, Scopes.of(MINOR, objects))
    of_component: dict[str, list[tuple[Manifest, Manifest]]] = {}
    for binding, _, workload in graph.bound:
        of_component.setdefault(workload.provenance.component, []).append((binding, workload))
    for pairs in of_component.values():
        binding, workload = pairs[0]
        other = planted(workload, set_in_pod(serviceAccountName="other"))
        yield Mutation([binding], [workload], workload, binding, [other])


def operated(objects: list[Manifest]) -> Iterator[Mutation]:
    """A custom resource for which a deployment waits, and its controller in another component."""
    awaited = readiness_index.packaged().keys()
    for definition in plants.of_kinds(objects, CRD_KIND):
        resource, kind = resource_of(definition), definition.facts.defines
        if resource is None or kind is None or (kind.group, kind.kind) not in awaited:
            continue
        every = [one for one in objects if one.provenance.component == definition.provenance.component]
        own = [one for one in every if one is not definition]
        graph = ObjectGraph([*every, resource], Scopes.of(MINOR, every))
        handlers = graph.controllers.get((kind.group, kind.kind), ())
        if len(handlers) == 1 and not any(one.id.kind == kind.kind for one in own):
            alone = planted(definition, plants.drop("spec", "conversion"))
            yield Mutation(own, [alone, resource], resource, handlers[0], [alone])


def claimed(objects: list[Manifest]) -> Iterator[Mutation]:
    """A StatefulSet with a claim without a class, and the default StorageClass."""
    metadata = {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    body = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata}
    for user in workloads(objects):
        target = Manifest.of(body, user.provenance)
        plain = planted(user, lambda body: body.update(apiVersion="apps/v1", kind="StatefulSet"))
        given = planted(plain, put("spec", "volumeClaimTemplates", value=[{"metadata": {"name": "data"}, "spec": {}}]))
        without = planted(plain, lambda body: body["spec"].pop("volumeClaimTemplates", None))
        yield Mutation([target], [given], given, target, [without])


SORTS: Final[dict[str, tuple[Reason, Callable[[list[Manifest]], Iterator[Mutation]]]]] = {
    **{kind: (Reason.NAMES, lambda objects, kind=kind: named(kind, objects)) for kind in NAMED},  # type: ignore[misc]
    "Certificate": (Reason.NEEDS_MADE, issued),
    "CRD": (Reason.DEFINED_BY, defined),
    "webhook": (Reason.SERVED_BY, called),
    "admission": (Reason.ADMITTED_BY, admitted),
    "conversion": (Reason.CONVERTED_BY, converted),
    "binding": (Reason.ALLOWED_BY, allowed),
    "controller": (Reason.OPERATED_BY, operated),
    "default StorageClass": (Reason.USES, claimed),
}


@pytest.fixture(scope="module")
def objects(everything: Forged) -> list[Manifest]:
    return everything.manifests


@pytest.mark.parametrize("sort", SORTS)
def test_the_order_follows_a_planted_dependency_and_is_explained(sort: str, objects: list[Manifest]) -> None:
    reason, mutations = SORTS[sort]
    tried = list(islice(mutations(objects), MOST))
    for mutation in tried:
        assembly = assembled(mutation.early, mutation.late)
        edge = edge_between(assembly.graph, mutation, reason)
        assert edge.is_ordering
        assert assembly.order.waves[LATE] > assembly.order.waves[EARLY], edge.sentence
        assert edge.sentence in explained(assembly)
        assert (str(mutation.source.id) in edge.sentence, str(mutation.target.id) in edge.sentence) == (True, True)
    assert len(tried) >= LEAST


@pytest.mark.parametrize("sort", [sort for sort in SORTS if sort != "CRD"])
def test_without_the_dependency_there_is_no_order(sort: str, objects: list[Manifest]) -> None:
    for mutation in islice(SORTS[sort][1](objects), MOST):
        assert mutation.others
        assembly = assembled(mutation.early, mutation.others)
        assert explained(assembly) == []


def test_an_address_informs_and_orders_nothing(objects: list[Manifest]) -> None:
    tried = 0
    for user, (service, _) in islice(zip(workloads(objects), services(objects), strict=False), MOST):
        address = f"http://{service.id.name}.{service.id.namespace}.svc:80"
        source = planted(user, lambda body, address=address: plants.first(body).update(env=[{"name": "PEER", "value": address}]))  # type: ignore[misc]  # fmt: skip
        assembly = assembled([service], [source])
        edge = edge_between(assembly.graph, Mutation([], [], source, service), Reason.CALLS)
        assert edge.strength is Strength.INFORMS
        assert explained(assembly) == []
        tried += 1
    assert tried >= LEAST
