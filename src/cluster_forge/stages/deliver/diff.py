"""diff: what the deployment of a cast stack would change in a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.names import counted
from cluster_forge.gitops import engine
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests import images
from cluster_forge.manifests.comparison import objects
from cluster_forge.manifests.comparison.fields import Change
from cluster_forge.manifests.comparison.objects import Comparison, ComponentDifference, ObjectDifference
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.stages.deliver.cluster_records import claims, releases
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.look import live_objects, object_diff
from cluster_forge.stages.deliver.look.live_objects import Wanted
from cluster_forge.stages.deliver.tools import DeliverTools

STAGE: Final = "diff"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    """A deployment, and its components with the documents of their objects."""

    deployment: Deployment
    parts: Sequence[Part]

    @property
    def stack(self) -> str:
        return self.deployment.name

    @property
    def manager(self) -> str:
        """The field manager by which the objects are applied."""
        plan = self.deployment.plan
        return FIELD_MANAGER if plan.delivery is Delivery.DIRECT else engine.FIELD_MANAGERS[plan.engine]


def diff(request: DiffRequest, tools: DeliverTools) -> Comparison:
    """Compare with the cluster; hooks are left out, they come and go.

    Raises:
        ClusterError, RefusedError, ExceptionGroup: if the cluster does not say.
    """
    tools.reporter.stage_started(STAGE, len(request.parts))
    differences: list[ObjectDifference] = []
    for part in request.parts:  # one after the other: what the cluster holds may be large
        differing = _of_part(part, request.manager, tools)
        tools.reporter.item_finished(
            STAGE, part.name, f"{len(differing)} of {counted(len(part.objects), 'object')} changed"
        )
        differences += differing
    if not request.deployment.plan.narrowed:
        differences += _pruned(request, tools)
    tools.reporter.stage_finished(STAGE, f"{counted(len(differences), 'object')} changed")
    former = releases.versions(releases.listed(tools.cluster, request.stack))
    return _comparison(request.parts, objects.in_order(differences), former)


def _of_part(part: Part, manager: str, tools: DeliverTools) -> list[ObjectDifference]:
    items = [item for item in part.objects if not item.hook]
    live = live_objects.find((_wanted(item) for item in items), tools)

    def compared(item: PartObject) -> ObjectDifference | None:
        return object_diff.of(item, part.name, live.get(item.id), manager, tools.cluster)

    return [difference for difference in tools.workers.map(compared, items) if difference]


def _wanted(item: PartObject) -> Wanted:
    return Wanted(id=item.id, version=str(item.body["apiVersion"]).rpartition("/")[2])


def _pruned(request: DiffRequest, tools: DeliverTools) -> Iterator[ObjectDifference]:
    """What the stack claims in the cluster, and has no more."""
    own = {item.id for part in request.parts for item in part.objects}
    claimed = claims.entries(tools.cluster, request.stack)
    former = {identity: word for identity, word in claimed.items() if identity not in own}
    live = live_objects.find((Wanted(id=identity) for identity in former), tools)
    for identity, body in live.items():
        remark = object_diff.STAYS if identity.holds_data else ""
        stack, _, component = former[identity].partition(".")  # the name of its Application, if it has one
        if difference := objects.compared(
            identity, component if stack == request.stack else "", body, None, remark=remark
        ):
            yield difference


def _comparison(
    parts: Sequence[Part], differences: Sequence[ObjectDifference], former: Mapping[str, str]
) -> Comparison:
    added, removed = (
        {use.image for difference in differences if (body := getattr(difference, side)) for use in images.of(body)}
        for side in ("after", "before")
    )
    kept = {image for part in parts for item in part.objects for image in item.images}
    return Comparison(
        components=tuple(_components(parts, differences, former)),
        objects=tuple(differences),
        added_images=tuple(sorted(added - removed)),
        removed_images=tuple(sorted(removed - added - kept)),
    )


def _components(
    parts: Sequence[Part], differences: Sequence[ObjectDifference], former: Mapping[str, str]
) -> Iterator[ComponentDifference]:
    """A component of which every object is new is new itself; ``former`` are the versions in the cluster, where known."""
    for part in sorted(parts, key=lambda part: part.name):
        changes = [difference.change for difference in differences if difference.component == part.name]
        if changes:
            is_new = changes.count(Change.ADDED) == sum(not item.hook for item in part.objects)
            change = Change.ADDED if is_new else Change.CHANGED
            before = "" if is_new else former.get(part.name, "")
            yield ComponentDifference(name=part.name, change=change, before=before, after=part.version)
