"""What was applied last, as the cluster keeps it: a deployment skips what is in the cluster as it left it.

It is the Secret ``applied-<stack>`` (the digest of a document with a short password gives the password away), with a key for each component: a line ``done DIGEST`` if it was deployed to its end,
and a line ``KIND.GROUP NAMESPACE NAME DOCUMENT FINGERPRINT`` for each object: the digest of its document, and what the API
server said of the applied fields (`managed_fields.fingerprint`). Without it everything is applied again.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.names import ComponentName, is_dns_label
from cluster_forge.gitops.git_server import NAMESPACE
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests import managed_fields
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import ApplyOptions, Cluster, Patch, Query
from cluster_forge.ports.workers import Workers

_DONE: Final = "done"
_TYPE: Final = "cluster-forge/applied"
_WORDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedObject:
    """An object as it was applied: the digest of its document, and its fingerprint then."""

    document: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedComponent:
    """What was applied of a component. ``digest`` is that of all its steps, if the last of them was done."""

    objects: Mapping[ObjectId, AppliedObject] = field(default_factory=lambda: MappingProxyType({}))
    digest: str = ""


def read(cluster: Cluster, stack: str) -> Mapping[ComponentName, AppliedComponent]:
    """What was applied of a stack; lines that are not understood are left out."""
    body = cluster.get(record_id(stack))
    data = (body or {}).get("data") or {}
    return {ComponentName(name): _parsed(_decoded(text)) for name, text in data.items() if is_dns_label(name)}


def begin(cluster: Cluster, stack: str) -> None:
    """Make the record, if it is not there."""
    target = record_id(stack)
    metadata = {"name": target.name, "namespace": target.namespace, "labels": {STACK_LABEL: stack}}
    body = {"apiVersion": "v1", "kind": target.kind, "metadata": metadata, "type": _TYPE}
    cluster.apply(body, ApplyOptions(manager=FIELD_MANAGER, force=True))


def write(cluster: Cluster, stack: str, components: Mapping[ComponentName, AppliedComponent | None]) -> None:
    """Keep what was applied of components; None: nothing of it is there any more."""
    data = {
        name: base64.b64encode(_written(component).encode()).decode() if component else None
        for name, component in components.items()
    }
    cluster.patch(record_id(stack), {"data": data}, Patch.MERGE, manager=FIELD_MANAGER)


def fingerprints(
    cluster: Cluster, workers: Workers, objects: Iterable[ObjectId], manager: str = FIELD_MANAGER
) -> Mapping[ObjectId, str]:
    """The fingerprints of the objects that are in the cluster: one request for each kind, without spec and status."""
    wanted = frozenset(objects)
    kinds = sorted({(target.group, target.kind) for target in wanted})

    def listed(kind: tuple[str, str]) -> list[tuple[ObjectId, str]]:
        query = Query(group=kind[0], kind=kind[1], metadata_only=True)
        return [(query.id_of(item), managed_fields.fingerprint(item, manager)) for item in cluster.list(query).items]

    listings = (pair for pairs in workers.map(listed, kinds) for pair in pairs)
    return {target: fingerprint for target, fingerprint in listings if target in wanted}


def _written(component: AppliedComponent) -> str:
    lines = [f"{_DONE} {component.digest}\n"] if component.digest else []
    lines += [
        f"{_kind(target)} {target.namespace or '-'} {target.name} {applied.document} {applied.fingerprint}\n"
        for target, applied in sorted(component.objects.items())
        if len(target.name.split()) == 1
    ]
    return "".join(lines)


def _decoded(value: object) -> str:
    """The text of a value in a Secret; empty if it is none."""
    try:
        return base64.b64decode(value, validate=True).decode() if isinstance(value, str) else ""
    except ValueError:
        return ""


def _parsed(text: str) -> AppliedComponent:
    digest, objects = "", {}
    for line in text.splitlines():
        words = line.split(" ")
        if words[0] == _DONE and len(words) == 2:
            digest = words[1]
        elif len(words) == _WORDS:
            kind, _, group = words[0].partition(".")
            target = ObjectId(group=group, kind=kind, namespace=words[1].removeprefix("-"), name=words[2])
            objects[target] = AppliedObject(document=words[3], fingerprint=words[4])
    return AppliedComponent(objects=objects, digest=digest)


def _kind(target: ObjectId) -> str:
    return f"{target.kind}.{target.group}" if target.group else target.kind


def record_id(stack: str) -> ObjectId:
    """The Secret of a stack."""
    return ObjectId(group="", kind="Secret", namespace=NAMESPACE, name=f"applied-{stack}")
