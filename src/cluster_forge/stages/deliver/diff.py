"""diff: what the deployment of a cast stack would change in a cluster.

The API server says what each object would be, by a dry run of server-side apply: so its defaults and
what webhooks add do not count (Kubernetes, "Server-Side Apply", "API Concepts: Dry-run"). The dry run takes the fields of
other managers: a value that another manager has set is a difference, a field that the stack does not set is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.foundation.names import counted
from cluster_forge.gitops import git_server, ownership
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.manifests import images
from cluster_forge.manifests.comparison import comparable, objects
from cluster_forge.manifests.comparison.fields import Change
from cluster_forge.manifests.comparison.objects import Comparison, ComponentDifference, ObjectDifference
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.ports.cluster import ApplyOptions, Cluster, Query
from cluster_forge.stages.deliver import live_objects
from cluster_forge.stages.deliver.live_objects import Wanted
from cluster_forge.stages.deliver.tools import DeliverTools

STAGE: Final = "diff"
_BATCH: Final = 100
"""Objects that are in memory at a time as they are in the cluster."""
_NOT_FOUND: Final = 404
_NO_PERMISSION: Final = " cannot patch resource "
"""What RBAC's refusal of the request says, and no refusal of an admission plug-in (status 403, too)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    """The stack ``name`` with the documents of its ``parts``; ``manager`` is the field manager of the engine that applies them.

    ``prunes``: what the stack claims in the cluster and has no more is pruned; not by a narrowed stack.
    """

    name: str
    parts: Sequence[Part]
    manager: str
    prunes: bool = True


@dataclass(frozen=True, slots=True)
class _Item:
    """An object of the stack, and its component."""

    component: str
    object: PartObject

    @property
    def wanted(self) -> Wanted:
        return Wanted(id=self.object.id, version=str(self.object.body["apiVersion"]).rpartition("/")[2])


def diff(request: DiffRequest, tools: DeliverTools) -> Comparison:
    """Compare with the cluster; hooks are left out, they come and go.

    Raises:
        ClusterError, RefusedError, ExceptionGroup: if the cluster does not say.
    """
    items = [_Item(part.name, item) for part in request.parts for item in part.objects if not item.hook]
    tools.reporter.stage_started(STAGE, len(items))
    differences: list[ObjectDifference] = []
    for batch in _batches(items):
        live = live_objects.find((item.wanted for item in batch), tools)
        compared = tools.workers.map(partial(_difference, live=live, manager=request.manager, tools=tools), batch)
        differences += (difference for difference in compared if difference)
    if request.prunes:
        differences += _pruned(request, tools)
    tools.reporter.stage_finished(STAGE, f"{counted(len(items), 'object')}, {len(differences)} differ")
    return _comparison(request.parts, objects.in_order(differences))


def _batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """The objects of one kind stay together, for as few listings as possible."""
    ordered = sorted(items, key=lambda item: item.object.id)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))


def _difference(
    item: _Item, *, live: Mapping[ObjectId, Body], manager: str, tools: DeliverTools
) -> ObjectDifference | None:
    identity, before = item.object.id, live.get(item.object.id)
    after: Body | None = item.object.body
    remark = ""
    try:
        if before is not None:
            after = comparable.autoscaled(before, _applied(item.object.body, manager, tools.cluster))
    except RefusedError as error:
        if _NO_PERMISSION in error.message:
            raise
        if error.status != _NOT_FOUND:  # it was deleted meanwhile
            after, remark = before, f"the cluster refuses it: {error.message}"
    difference = objects.compared(identity, item.component, before, after, remark=remark)
    tools.reporter.item_finished(STAGE, str(identity), difference.change if difference else "")
    return difference


def _applied(body: Body, manager: str, cluster: Cluster) -> Body:
    return cluster.apply(body, ApplyOptions(manager=manager, force=True, is_trial=True)).body


def _pruned(request: DiffRequest, tools: DeliverTools) -> Iterator[ObjectDifference]:
    """What the stack claims in the cluster, and has no more."""
    own = {item.id for part in request.parts for item in part.objects}
    former = [Wanted(id=identity) for identity in _claimed(request.name, tools.cluster) if identity not in own]
    for identity, body in live_objects.find(former, tools).items():
        remark = "stays in the cluster: data would be lost with it" if identity.holds_data else ""
        if difference := objects.compared(identity, "", body, None, remark=remark):
            yield difference


def _claimed(stack: str, cluster: Cluster) -> Iterator[ObjectId]:
    labels = f"{ownership.CLAIM_LABEL}=objects,{STACK_LABEL}={stack}"
    claims = cluster.list(Query(group="", kind="ConfigMap", namespace=git_server.NAMESPACE, labels=labels))
    for claim in claims.items:
        yield from ownership.read((claim.get("data") or {}).get(ownership.OBJECTS) or "")


def _comparison(parts: Sequence[Part], differences: Sequence[ObjectDifference]) -> Comparison:
    added, removed = (
        {use.image for difference in differences if (body := getattr(difference, side)) for use in images.of(body)}
        for side in ("after", "before")
    )
    kept = {image for part in parts for item in part.objects for image in item.images}
    return Comparison(
        components=tuple(_components(parts, differences)),
        objects=tuple(differences),
        added_images=tuple(sorted(added - removed)),
        removed_images=tuple(sorted(removed - added - kept)),
    )


def _components(parts: Sequence[Part], differences: Sequence[ObjectDifference]) -> Iterator[ComponentDifference]:
    """A component of which every object is new is new itself."""
    for part in sorted(parts, key=lambda part: part.name):
        changes = [difference.change for difference in differences if difference.component == part.name]
        if changes:
            is_new = changes.count(Change.ADDED) == sum(not item.hook for item in part.objects)
            change = Change.ADDED if is_new else Change.CHANGED
            yield ComponentDifference(name=part.name, change=change, after=part.version)
