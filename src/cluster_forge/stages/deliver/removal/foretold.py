"""A cluster in which a removal is tried: what is deleted is noted, and not seen any more, nor is what is in a namespace that is;
nothing is sent that changes something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import (
    Applied,
    ApplyOptions,
    Cluster,
    ClusterFacts,
    Deleted,
    Event,
    Kept,
    Listing,
    Patch,
    Propagation,
    Query,
    ServedKind,
    ServedKinds,
)


class ForetoldCluster:
    """`ports.Cluster`. What the garbage collector and controllers would do after a deletion is not foreseen."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._gone: set[ObjectId] = set()

    def about(self) -> ClusterFacts:
        return self._cluster.about()

    def served(self, *, is_fresh: bool = False) -> ServedKinds:
        return self._cluster.served(is_fresh=is_fresh)

    def get(self, target: ObjectId, version: str = "") -> Body | None:
        return None if self._is_gone(target) else self._cluster.get(target, version)

    def list(self, query: Query) -> Listing:
        listing = self._cluster.list(query)
        return replace(listing, items=tuple(body for body in listing.items if not self._is_gone(query.id_of(body))))

    def each(self, query: Query, keep: Callable[[Body], Kept]) -> tuple[Kept, ...]:
        return self._cluster.each(query, keep)

    def watch(self, query: Query, since: str, seconds: float) -> Iterator[Event]:
        return self._cluster.watch(query, since, seconds)

    def apply(self, body: Body, options: ApplyOptions) -> Applied:
        return self._cluster.apply(body, replace(options, is_trial=True))

    def create(self, body: Body) -> Body:
        return body

    def replace(self, body: Body, subresource: str = "") -> Body:  # noqa: ARG002 - the port's signature
        return body

    def patch(self, target: ObjectId, patch: object, kind: Patch, *, manager: str, subresource: str = "") -> Body:  # noqa: ARG002
        return self.get(target) or {}

    def delete(self, target: ObjectId, propagation: Propagation = Propagation.BACKGROUND, uid: str = "") -> Deleted:  # noqa: ARG002
        self._gone.add(target)
        return Deleted.GONE

    def logs(self, namespace: str, pod: str, container: str = "", *, lines: int = 20, previous: bool = False) -> str:
        return self._cluster.logs(namespace, pod, container, lines=lines, previous=previous)

    def can(self, verb: str, kind: ServedKind, namespace: str = "") -> bool:
        return self._cluster.can(verb, kind, namespace)

    def raw(self, path: str) -> bytes:
        return self._cluster.raw(path)

    def sent(self) -> Mapping[str, int]:
        return self._cluster.sent()

    def _is_gone(self, target: ObjectId) -> bool:
        space = ObjectId(group="", kind="Namespace", namespace="", name=target.namespace)
        return target in self._gone or space in self._gone
