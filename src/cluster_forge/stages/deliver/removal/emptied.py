"""What is still in a cluster when a stack goes: custom resources, webhooks of operators, and what its Namespaces hold."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping
from cluster_forge.gitops import removal
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.kubernetes_apis import BUILT_IN_NAMESPACES
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Query, ServedKind
from cluster_forge.stages.deliver.tools import DeliverTools

_BY_HAND: Final = (
    *(
        "kubectl",
        "oc",
        "helm",
        "helmfile",
        "kapp",
        "k9s",
        "Lens",
        "Rancher",
        "rancher",
        "skaffold",
        "okteto",
        "werf",
        "curl",
    ),
    *(
        "terraform",
        "Terraform",
        "HashiCorp",
        "OpenTofu",
        "pulumi",
        "ansible",
        "OpenAPI-Generator",
        "node-fetch",
        "python-requests",
    ),
)
_BY_ENGINES: Final = ("argocd", "kustomize-controller", "flux", "helm-controller")
"""How the field managers begin of what people, and other stacks, put into a cluster; the rest is from controllers."""
_FLEETING: Final = frozenset({"Event", "Endpoints", "EndpointSlice", "Lease", "ControllerRevision", "PodMetrics"})
_VOLUME: Final = ("", "PersistentVolumeClaim")
_NAMED: Final = 3
"""Objects that a reason names; the others are counted."""


def kinds_of(crds: Iterable[str], cluster: Cluster) -> list[ServedKind]:
    """The kinds that the CRDs of these names define, in the version that the server prefers."""
    names = set(crds)
    return [kind for kind in cluster.served().kinds if kind.is_preferred and f"{kind.plural}.{kind.group}" in names]


def kinds_in_namespaces(cluster: Cluster) -> list[ServedKind]:
    """The kinds that are looked at to see what a Namespace holds."""
    return [
        kind
        for kind in cluster.served().kinds
        if kind.is_namespaced and kind.is_preferred and kind.kind not in _FLEETING and "list" in kind.verbs
    ]


def ids(kind: ServedKind, cluster: Cluster) -> list[ObjectId]:
    """All objects of a kind."""
    query = Query(group=kind.group, kind=kind.kind, metadata_only=True)
    return [query.id_of(body) for body in cluster.list(query).items]


def asking(services: set[tuple[str, str]], cluster: Cluster) -> list[ObjectId]:
    """The webhook configurations and APIServices that ask nothing but these Services (namespace, name)."""
    asking_only = []
    for group, kind in removal.ASKED:
        query = Query(group=group, kind=kind)
        for body in cluster.list(query).items:
            asked = set(_asked(body))
            if asked and asked <= services:
                asking_only.append(query.id_of(body))
    return asking_only


def _asked(body: Body) -> Iterator[tuple[str, str]]:
    """The Services that the API server asks because of an object; an address outside of the cluster is ``("", URL)``."""
    if service := mapping(mapping(body.get("spec")).get("service")):
        yield str(service.get("namespace")), str(service.get("name"))
    for webhook in body.get("webhooks") or ():
        client = mapping(mapping(webhook).get("clientConfig"))
        service = mapping(client.get("service"))
        yield (str(service.get("namespace")), str(service.get("name"))) if service else ("", str(client.get("url")))


def reasons_to_keep(
    names: Sequence[str], tools: DeliverTools, *, with_data: bool, since: str | None, besides: Container[ObjectId] = ()
) -> Mapping[str, str]:
    """For each Namespace why it stays; empty: it can go.

    It stays if it was or may have been there before the stack, whose claim was created at ``since`` (RFC 3339, as the API
    server writes it; None: the Namespace is ours), and if it holds volumes or what people or other tools put there, except
    for ``besides``. What controllers made in it (Secrets of operators, say) goes with it. ``with_data``: only the first
    counts.
    """
    spaces = {name: tools.cluster.get(ObjectId(group="", kind="Namespace", namespace="", name=name)) for name in names}
    there = {name: body for name, body in spaces.items() if body is not None and name not in BUILT_IN_NAMESPACES}
    held = {} if with_data or not there else _held(set(there), tools, besides)
    return {
        name: ("" if since is None else _former_owner(body, since)) or _words(held.get(name, []))
        for name, body in there.items()
    }


def _former_owner(space: Body, since: str) -> str:
    """Who made a Namespace before the stack came, or may have, in words. Engines make those of the stacks that they deliver."""
    created = str(space["metadata"].get("creationTimestamp") or "")
    if created and created < since:
        return f"it was there before the stack: since {created}"
    managers = _managers(space["metadata"])
    by_hand = next((manager for manager in managers if manager.startswith(_BY_HAND)), "")
    return f"{by_hand} has set fields of it: it may have been there before the stack" if by_hand else ""


def _held(names: set[str], tools: DeliverTools, besides: Container[ObjectId]) -> dict[str, list[ObjectId]]:
    """What is in the Namespaces that must not go unasked: one listing for each kind."""
    kinds = kinds_in_namespaces(tools.cluster)
    others: dict[str, list[ObjectId]] = {}
    for targets in tools.workers.map(lambda kind: list(_unasked(kind, names, tools.cluster)), kinds):
        for target in targets:
            if target not in besides:
                others.setdefault(target.namespace, []).append(target)
    return others


def _unasked(kind: ServedKind, names: set[str], cluster: Cluster) -> Iterator[ObjectId]:
    query = Query(group=kind.group, kind=kind.kind, metadata_only=True)
    for body in cluster.list(query).items:
        metadata = body["metadata"]
        if metadata.get("namespace") not in names or metadata.get("deletionTimestamp"):
            continue
        is_volume = (kind.group, kind.kind) == _VOLUME
        is_of_others = any(manager.startswith((*_BY_HAND, *_BY_ENGINES)) for manager in _managers(metadata))
        if is_volume or (is_of_others and not metadata.get("ownerReferences")):
            yield query.id_of(body)


def _managers(metadata: Mapping[str, Any]) -> list[str]:
    return [str(fields.get("manager", "")) for fields in metadata.get("managedFields") or ()]


def _words(held: Sequence[ObjectId]) -> str:
    if not held:
        return ""
    shown = ", ".join(f"{target.kind} {target.name}" for target in sorted(held)[:_NAMED])
    rest = len(held) - _NAMED
    return f"it still holds {shown}" + (f" and {rest} more" if rest > 0 else "")
