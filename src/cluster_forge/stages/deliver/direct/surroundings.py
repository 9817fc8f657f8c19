"""What the components of one deployment share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.health import AWAITED
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.clock import Clock
from cluster_forge.ports.cluster import ClusterReader
from cluster_forge.ports.workers import Queue
from cluster_forge.stages.deliver.cluster_records.applied import AppliedObject
from cluster_forge.stages.deliver.direct.applier import Applier
from cluster_forge.stages.deliver.direct.established import Definitions
from cluster_forge.stages.deliver.direct.observations import Observations
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the components of one deployment share. ``live`` are the fingerprints of what was in the cluster before, ``done``
    is what was applied since: a Namespace belongs to many components. ``operated`` are the API groups of custom resources
    that are awaited.
    """

    cluster: ClusterReader
    clock: Clock
    options: DeployOptions
    applier: Applier
    observations: Observations
    definitions: Definitions
    live: Mapping[ObjectId, str]
    is_narrowed: bool
    operated: frozenset[str]
    done: dict[ObjectId, AppliedObject] = field(default_factory=dict)


def of(
    plan: DeployPlan, tools: DeliverTools, options: DeployOptions, queue: Queue, live: Mapping[ObjectId, str]
) -> Surroundings:
    """Those of the components of a plan, which send their requests by ``queue``."""
    observations = Observations(tools.cluster)
    return Surroundings(
        cluster=tools.cluster,
        clock=tools.clock,
        options=options,
        applier=Applier(
            cluster=tools.cluster,
            clock=tools.clock,
            reader=tools.reader,
            queue=queue,
            options=options,
            observe=observations.observe,
        ),
        observations=observations,
        definitions=Definitions(tools.cluster, tools.clock),
        live=live,
        is_narrowed=bool(plan.narrowed),
        operated=_operated(plan),
    )


def _operated(plan: DeployPlan) -> frozenset[str]:
    """The API groups whose CRDs come with a controller: it writes the status of their custom resources. None where an engine
    applies these.
    """
    return frozenset(
        item.id.name.partition(".")[2]
        for part in plan.parts
        if plan.delivery is Delivery.DIRECT and any(item.kind in AWAITED for item in part.objects)
        for item in part.objects
        if item.kind == CRD
    )
