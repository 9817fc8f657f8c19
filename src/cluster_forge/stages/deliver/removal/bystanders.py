"""What would go along with an object that is deleted: objects in a Namespace, objects of a CRD's kind, volumes that it owns.

The API server deletes a Namespace with what is in it, and a CRD with the objects of its kind; its garbage collector deletes
what has only owners that are gone (Kubernetes, "Garbage Collection", "Owners and Dependents"). So the claims of volumes go
with a custom resource whose operator made them, or with a StatefulSet (``persistentVolumeClaimRetentionPolicy``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.gitops import engine, removal
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId, group_of
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ClusterReader, Query

_OWNED: Final = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))
"""What holds data, and may have an owner."""
_DEEPEST: Final = 8
"""Owners of owners that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bystanders:
    """What must not go along. ``claimed`` objects, each with the stack that claims it, keep their Namespace and their CRD; volumes
    keep their owners, unless ``with_volumes``.
    """

    claimed: Mapping[ObjectId, str] = field(default_factory=dict)
    with_volumes: bool = False

    def reasons(self, doomed: Mapping[ObjectId, str], cluster: ClusterReader) -> dict[ObjectId, str]:
        """For each of the objects (with their UIDs) that must stay, why.

        Raises:
            ClusterError, RefusedError: if the cluster does not say.
        """
        reasons = dict(self._of_claims(doomed, cluster))
        if not self.with_volumes:
            owners = {uid: target for target, uid in doomed.items() if uid and not target.holds_data}
            for volume in _volumes(cluster) if owners else ():
                for target in _Ancestors(cluster).among(volume, owners):
                    reasons.setdefault(target, f"it owns {_shown(volume)}, which would be deleted with it")
        return reasons

    def _of_claims(self, doomed: Iterable[ObjectId], cluster: ClusterReader) -> Iterator[tuple[ObjectId, str]]:
        gone = set(doomed)
        for target in gone:
            if (target.group, target.kind) == ("", "Namespace"):
                inside = [claimed for claimed in self.claimed if claimed.namespace == target.name]
            elif (target.group, target.kind) == CRD:
                plural, _, group = target.name.partition(".")
                kinds = {kind.kind for kind in cluster.served().kinds if (kind.plural, kind.group) == (plural, group)}
                inside = [claimed for claimed in self.claimed if claimed.group == group and claimed.kind in kinds]
            else:
                continue
            if others := sorted(set(inside) - gone):
                yield target, f"{others[0]} of the stack {self.claimed[others[0]]} would be deleted with it"


NO_OTHERS: Final = Bystanders(with_volumes=True)


def strangers(cluster: ClusterReader, stack: str) -> frozenset[str]:
    """The Applications and Kustomizations in the cluster that are not of the stack, by their names: whatever these are."""
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for group, kind in removal.APPLIERS:
        for body in cluster.list(Query(group=group, kind=kind, metadata_only=True)).items:
            is_own = (body["metadata"].get("labels") or {}).get(STACK_LABEL) == stack
            names[is_own].add(str(body["metadata"]["name"]))
    return frozenset(names[False] - names[True])


def crds_of_applications(cluster: ClusterReader, stack: str) -> dict[str, str]:
    """The names of CRDs that Applications in the cluster apply which are not of the stack, each with its Application."""
    applications: dict[str, str] = {}
    for body in cluster.list(Query(group=engine.GROUP, kind="Application")).items:
        if mapping(body["metadata"].get("labels")).get(STACK_LABEL) != stack:
            for resource in map(mapping, sequence(mapping(body.get("status")).get("resources"))):
                if (resource.get("group"), resource.get("kind")) == CRD:
                    applications[str(resource.get("name"))] = str(body["metadata"]["name"])
    return applications


@dataclass(slots=True)
class _Ancestors:
    """The owners of objects, and theirs. Each is asked for once."""

    cluster: ClusterReader
    known: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def among(self, body: Body, wanted: Mapping[str, ObjectId]) -> Iterator[ObjectId]:
        """Those of the ``wanted`` objects, by their UIDs, that own the object, or own an owner of it."""
        namespace, references, seen = str(body["metadata"].get("namespace") or ""), _references(body), set[str]()
        for _ in range(_DEEPEST):
            above: list[Mapping[str, Any]] = []
            for reference in references:
                uid = str(reference.get("uid") or "")
                if uid in wanted:
                    yield wanted[uid]
                elif uid not in seen:
                    above += self._above(reference, uid, namespace)
                seen.add(uid)
            references = above

    def _above(self, reference: Mapping[str, Any], uid: str, namespace: str) -> list[Mapping[str, Any]]:
        if uid not in self.known:
            group, kind = group_of(str(reference.get("apiVersion") or "")), str(reference.get("kind") or "")
            served = self.cluster.served().find(group, kind)
            inside = namespace if served and served.is_namespaced else ""
            target = ObjectId(group=group, kind=kind, namespace=inside, name=str(reference.get("name") or ""))
            body = self.cluster.get(target) if served and target.name else None
            self.known[uid] = _references(body) if body and body["metadata"].get("uid") == uid else []
        return self.known[uid]


def _volumes(cluster: ClusterReader) -> Iterator[Body]:
    """What holds data in the cluster and has an owner. The volumes of a Pod alone are meant to go with it (Kubernetes,
    "Ephemeral Volumes").
    """
    for group, kind in _OWNED:
        for body in cluster.list(Query(group=group, kind=kind, metadata_only=True)).items:
            owners = {reference.get("kind") for reference in _references(body)}
            if owners and "Pod" not in owners:
                yield {**body, "kind": kind}


def _references(body: Body) -> list[Mapping[str, Any]]:
    references = body["metadata"].get("ownerReferences")
    return [one for one in references if isinstance(one, Mapping)] if isinstance(references, list) else []


def _shown(volume: Body) -> str:
    metadata = volume["metadata"]
    return f"{volume['kind']}/{metadata.get('namespace')}/{metadata['name']}"
