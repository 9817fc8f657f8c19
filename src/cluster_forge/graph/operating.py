"""Custom resources and the workloads that handle them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from cluster_forge.graph.edge import Edge, Reason
from cluster_forge.graph.reference import Strength
from cluster_forge.graph.rights import Kind
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest


def edges(
    controllers: Mapping[Kind, Sequence[Manifest]],
    of_kind: Mapping[Kind, Sequence[Manifest]],
    named: Sequence[Edge],
    awaited: Collection[Kind],
) -> Iterator[Edge]:
    """From custom resources to their ``controllers``; ``of_kind`` has the objects of each kind.

    Required where another object cannot do without what the controller makes of it, directly or through what it names
    (a Certificate and its Issuer); preferred for kinds that a deployment awaits. Others do their work whenever it comes.
    """
    needed = _needed(named)
    for kind, workloads in controllers.items():
        for manifest in of_kind[kind]:
            strength = Strength.PREFERRED if kind in awaited else Strength.INFORMS
            if manifest.id in needed:
                strength = Strength.REQUIRED
            for workload in workloads:
                yield Edge(source=manifest, target=workload, reason=Reason.OPERATED_BY, strength=strength)


def _needed(named: Sequence[Edge]) -> set[ObjectId]:
    """The objects of which something must be made, and what these need for that."""
    onwards: defaultdict[ObjectId, list[ObjectId]] = defaultdict(list)
    for edge in named:
        if edge.is_hard:
            onwards[edge.source.id].append(edge.target.id)
    waiting = [edge.target.id for edge in named if edge.is_hard and edge.reason is Reason.NEEDS_MADE]
    needed: set[ObjectId] = set()
    while waiting:
        identity = waiting.pop()
        if identity not in needed:
            needed.add(identity)
            waiting += onwards[identity]
    return needed
