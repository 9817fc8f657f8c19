"""The components of a stack that is delivered directly: which objects are there, how well they are, and who has changed them.

Whole objects are read only of kinds that have a status; of the others their metadata. Values are not compared: what
another manager has set shows in ``managedFields`` (`field_owners`), and what another version changes in the last release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests import health
from cluster_forge.manifests.comparison import field_owners
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.health import Health, Status
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.ports.cluster import Cluster
from cluster_forge.stages.deliver import trouble
from cluster_forge.stages.deliver.look import component_status, live_objects, object_diff
from cluster_forge.stages.deliver.look.component_status import ComponentStatus, Condition, Sync
from cluster_forge.stages.deliver.look.live_objects import Wanted
from cluster_forge.stages.deliver.tools import DeliverTools, Rules

_GROUPS: Final = frozenset(
    {"admissionregistration.k8s.io", "rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io"}
)
_KINDS: Final = frozenset(
    {
        CRD,
        *(("", kind) for kind in ("ConfigMap", "LimitRange", "ResourceQuota", "Secret", "ServiceAccount")),
        ("networking.k8s.io", "IngressClass"),
        ("networking.k8s.io", "NetworkPolicy"),
    }
)
"""Groups and kinds whose objects are healthy as soon as they are there."""


def components(parts: Sequence[Part], tools: DeliverTools) -> Iterator[ComponentStatus]:
    """Each component, as far as the cluster itself says; ``parts`` have the documents of their objects.

    Raises:
        ClusterError, RefusedError, ExceptionGroup: if the cluster does not say.
    """
    applied = {part.name: [item for item in part.objects if not item.hook] for part in parts}
    live = live_objects.find((_wanted(item.id) for items in applied.values() for item in items), tools)
    for part in parts:
        yield _component(part, applied[part.name], live, tools)


def _wanted(identity: ObjectId) -> Wanted:
    return Wanted(id=identity, metadata_only=identity.group in _GROUPS or (identity.group, identity.kind) in _KINDS)


def _component(
    part: Part, items: Sequence[PartObject], live: Mapping[ObjectId, Body], tools: DeliverTools
) -> ComponentStatus:
    there = [item for item in items if item.id in live]
    missing = [f"{item.id} is not there" for item in items if item.id not in live]
    if items and not there:
        missing = ["none of its objects is there"]
    unhealthy = {
        item.id: state
        for item in there
        if (state := _health(item.id, live[item.id], tools.rules)).status is not Status.READY
    }
    taken = [message for item in there for message in _taken(item, part, live[item.id]["metadata"], tools.cluster)]
    reasons = list(_reasons(unhealthy, tools))
    conditions = [Condition.of(state.status) for state in unhealthy.values()]
    return ComponentStatus(
        name=part.name,
        version=part.version,
        deployed="",
        sync=Sync.OUT_OF_SYNC if missing or taken else Sync.SYNCED,
        condition=component_status.worst([*conditions, *([Condition.MISSING] if missing else [])]),
        messages=(
            *component_status.few(missing, "object"),
            *component_status.few(reasons, "object"),
            *component_status.few(taken, "field"),
        ),
    )


def _taken(item: PartObject, part: Part, metadata: Mapping[str, Any], cluster: Cluster) -> Iterator[str]:
    """The fields that another manager has set, if they have other values than those of the stack: for these few objects
    the cluster is asked.
    """
    if not field_owners.has_others(metadata, FIELD_MANAGER):
        return
    fields = field_owners.taken(item.body, metadata, FIELD_MANAGER)
    if fields and _differs(item, part, cluster):
        yield from (f"{item.id}: {field.manager} has set {field.path}" for field in fields)


def _differs(item: PartObject, part: Part, cluster: Cluster) -> bool:
    """Whether a deployment would change the object; yes if the user may not ask that."""
    version = str(item.body["apiVersion"]).rpartition("/")[2]
    try:
        return object_diff.of(item, part.name, cluster.get(item.id, version), FIELD_MANAGER, cluster) is not None
    except RefusedError:
        return True


def _reasons(unhealthy: Mapping[ObjectId, Health], tools: DeliverTools) -> Iterator[str]:
    """Why each is not healthy; of the first ones the cause (`trouble`)."""
    for number, (target, state) in enumerate(unhealthy.items()):
        cause = trouble.of(target, tools.cluster).sentence if number < component_status.MOST else ""
        yield f"{target}: {cause or state.message}"


def _health(identity: ObjectId, body: Body, rules: Callable[[], Rules]) -> Health:
    """An object of which only the metadata was read is healthy unless it is being deleted."""
    if _wanted(identity).metadata_only:
        return health.of({**body, "apiVersion": "v1", "kind": ""})
    may_be_custom = "." in identity.group
    return health.of(body, rules().get((identity.group, identity.kind)) if may_be_custom else None)
