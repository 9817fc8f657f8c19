"""Objects as they are in a cluster, in few requests: a listing for each kind and namespace instead of one call for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Query, ServedKinds
from cluster_forge.stages.deliver.tools import DeliverTools

_FEW: Final = 3
"""So many objects of a kind in a namespace are asked for one by one; of more the whole kind is listed there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An object to look for; ``version`` is the one in which to see it, empty for the server's.

    ``metadata_only``: without spec and status, which is cheaper.
    """

    id: ObjectId
    version: str = ""
    metadata_only: bool = False


def find(wanted: Iterable[Wanted], tools: DeliverTools) -> dict[ObjectId, Body]:
    """Those that are there. A kind that is not served in that version has none.

    Raises:
        ClusterError, RefusedError, ExceptionGroup: if the cluster does not say.
    """
    queries = list(_queries(wanted, tools.cluster.served()))
    listed = tools.workers.map(lambda query: _listed(*query, tools.cluster), queries)
    return {identity: body for bodies in listed for identity, body in bodies.items()}


def _queries(wanted: Iterable[Wanted], served: ServedKinds) -> Iterator[tuple[Query, frozenset[str]]]:
    """What to list, and the names that are looked for there."""
    names: dict[tuple[str, str, str, str, bool], set[str]] = {}
    for one in wanted:
        place = (one.id.group, one.id.kind, one.version, one.id.namespace, one.metadata_only)
        names.setdefault(place, set()).add(one.id.name)
    for (group, kind, version, namespace, metadata_only), listed in sorted(names.items()):
        if not served.find(group, kind, version):
            continue
        query = Query(group=group, kind=kind, version=version, namespace=namespace, metadata_only=metadata_only)
        yield from _split(query, frozenset(listed))


def _split(query: Query, names: frozenset[str]) -> Iterator[tuple[Query, frozenset[str]]]:
    if len(names) > _FEW:
        yield query, names
    else:
        for name in sorted(names):
            yield replace(query, fields=f"metadata.name={name}"), frozenset({name})


def _listed(query: Query, names: frozenset[str], cluster: Cluster) -> Mapping[ObjectId, Body]:
    return {query.id_of(body): body for body in cluster.list(query).items if body["metadata"]["name"] in names}
