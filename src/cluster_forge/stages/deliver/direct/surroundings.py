"""What the components of one deployment share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import engine, schedule
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.clock import Clock
from cluster_forge.ports.cluster import ClusterReader
from cluster_forge.ports.workers import Queue
from cluster_forge.stages.deliver.cluster_records.applied import AppliedObject
from cluster_forge.stages.deliver.direct import answering
from cluster_forge.stages.deliver.direct.answering import Answering
from cluster_forge.stages.deliver.direct.applier import Applier
from cluster_forge.stages.deliver.direct.established import Definitions
from cluster_forge.stages.deliver.direct.observations import Observations
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was in the cluster before: the fingerprints of objects, and which were looked for and not there."""

    live: Mapping[ObjectId, str] = field(default_factory=dict)
    absent: frozenset[ObjectId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the components of one deployment share. ``done`` is what was applied since ``before``: a Namespace belongs to many
    components. ``needed`` are the
    components that each one waits for, in an order in which each comes after them; ``answering`` says who answers custom resources.
    """

    cluster: ClusterReader
    clock: Clock
    options: DeployOptions
    applier: Applier
    observations: Observations
    definitions: Definitions
    before: Before
    is_narrowed: bool
    needed: Mapping[ComponentName, frozenset[ComponentName]]
    answering: Answering
    done: dict[ObjectId, AppliedObject] = field(default_factory=dict)


def of(plan: DeployPlan, tools: DeliverTools, options: DeployOptions, queue: Queue, before: Before) -> Surroundings:
    """Those of the components of a plan, which send their requests by ``queue``."""
    names = {component.name for component in plan.components}
    needed = schedule.prerequisites([part for part in plan.parts if part.name in names], plan.fixed)
    observations = Observations(tools.cluster, rules=tools.rules)
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
            own=engine_managers(plan),
        ),
        observations=observations,
        definitions=Definitions(tools.cluster, tools.clock),
        before=before,
        is_narrowed=bool(plan.narrowed),
        needed=needed,
        answering=answering.of(plan, tools.rules, needed),
    )


def engine_managers(plan: DeployPlan) -> frozenset[str]:
    """The engine that the stack brings: it applies its own objects, too, and owns fields of them then."""
    return frozenset({engine.FIELD_MANAGERS[plan.engine]} if plan.delivery is Delivery.INSTALL else ())
