"""A cluster that is changed, and waited for, only while a lease is held: of two deployments, the one that has lost it stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

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
from cluster_forge.stages.deliver.cluster_records.lease import Lease


class LeasedCluster:
    """`ports.Cluster`; each change raises what `Lease.check` does, each look at objects what `Lease.check_kept` does."""

    def __init__(self, cluster: Cluster, lease: Lease) -> None:
        self._cluster, self._lease = cluster, lease

    def about(self) -> ClusterFacts:
        return self._cluster.about()

    def served(self, *, is_fresh: bool = False) -> ServedKinds:
        return self._cluster.served(is_fresh=is_fresh)

    def get(self, target: ObjectId, version: str = "") -> Body | None:
        self._lease.check_kept()
        return self._cluster.get(target, version)

    def list(self, query: Query) -> Listing:
        self._lease.check_kept()
        return self._cluster.list(query)

    def each(self, query: Query, keep: Callable[[Body], Kept]) -> tuple[Kept, ...]:
        self._lease.check_kept()
        return self._cluster.each(query, keep)

    def watch(self, query: Query, since: str, seconds: float) -> Iterator[Event]:
        self._lease.check_kept()
        return self._cluster.watch(query, since, seconds)

    def apply(self, body: Body, options: ApplyOptions) -> Applied:
        if not options.is_trial:
            self._lease.check()
        return self._cluster.apply(body, options)

    def create(self, body: Body) -> Body:
        self._lease.check()
        return self._cluster.create(body)

    def replace(self, body: Body, subresource: str = "") -> Body:
        self._lease.check()
        return self._cluster.replace(body, subresource)

    def patch(self, target: ObjectId, patch: object, kind: Patch, *, manager: str, subresource: str = "") -> Body:
        self._lease.check()
        return self._cluster.patch(target, patch, kind, manager=manager, subresource=subresource)

    def delete(self, target: ObjectId, propagation: Propagation = Propagation.BACKGROUND, uid: str = "") -> Deleted:
        self._lease.check()
        return self._cluster.delete(target, propagation, uid)

    def logs(self, namespace: str, pod: str, container: str = "", *, lines: int = 20, previous: bool = False) -> str:
        return self._cluster.logs(namespace, pod, container, lines=lines, previous=previous)

    def can(self, verb: str, kind: ServedKind, namespace: str = "") -> bool:
        return self._cluster.can(verb, kind, namespace)

    def raw(self, path: str) -> bytes:
        return self._cluster.raw(path)

    def sent(self) -> Mapping[str, int]:
        return self._cluster.sent()
