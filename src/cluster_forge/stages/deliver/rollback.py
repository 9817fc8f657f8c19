"""rollback: a stack back to an earlier release, deployed from the files that the cluster keeps of it (ADR 0039).

What going back would lose, or cannot do, is said before the first change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.gitops.release import Release, Result
from cluster_forge.manifests.comparison import objects
from cluster_forge.manifests.comparison.fields import Change
from cluster_forge.manifests.comparison.objects import Comparison, ObjectDifference
from cluster_forge.manifests.part import Part
from cluster_forge.stages.deliver import obstacles
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.look.object_diff import STAYS
from cluster_forge.stages.deliver.tools import DeliverTools

Deployed = TypeVar("Deployed")
Deploy = Callable[[Deployment, str], Deployed]
"""Deploys a release; the text says why it is deployed (`Release.cause`)."""
_CAUSE: Final = "rollback to "


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """Back to release ``to`` of a stack, or to the last good one before the newest; ``is_forced``: also where data would be lost,
    ``force_version``: also in a cluster of a Kubernetes version that the release is not made for, ``recreates``: also where objects
    must be deleted and created again.

    After a way back that was interrupted, ``to`` is its release.
    """

    stack: str
    to: int | None = None
    is_forced: bool = False
    force_version: bool = False
    recreates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackPlan:
    """What going back would do: ``release`` would be deployed again, as ``deployment``.

    ``changes`` are those from the ``newest`` release that has its files, by the digests of both: what was changed in the cluster
    since then is not in them. ``obstacles`` keep the stack from going back.
    """

    release: Release
    deployment: Deployment
    newest: Release
    changes: Comparison
    obstacles: tuple[ForgeError, ...]


def planned(request: RollbackRequest, tools: DeliverTools) -> RollbackPlan:
    """What going back would do; nothing is changed.

    Raises:
        ReleaseError, ExceptionGroup: if a release is not there or damaged.
    """
    chosen, deployment = kept(request, tools)
    newest, changes = changed(chosen, deployment, tools)
    return RollbackPlan(
        release=chosen,
        deployment=deployment,
        newest=newest,
        changes=changes,
        obstacles=tuple(_obstacles(request, deployment, tools)),
    )


def changed(
    chosen: Release, deployment: Deployment, tools: DeliverTools, destination: str = ""
) -> tuple[Release, Comparison]:
    """The newest release that has its files, and what would change from there; ``destination`` as in `kept`. Of a narrowed
    release only its own components would.

    Raises:
        ReleaseError, ExceptionGroup: if a release is damaged.
    """
    listed = releases.listed(tools.cluster, deployment.name, destination)
    plan = releases.last_plan(listed, tools)
    assert plan is not None, "the release to go back to has its files"
    after = [_without_hooks(part) for part in deployment.plan.parts]
    names = {part.name for part in after}
    before = [_without_hooks(part) for part in plan.parts if part.name in names or not chosen.narrowed]
    comparison = objects.listed_between(before, after)
    newest = [one for one in listed if one.folders][-1]
    return newest, replace(comparison, objects=tuple(map(_with_data_kept, comparison.objects)))


def _without_hooks(part: Part) -> Part:
    return replace(part, objects=tuple(item for item in part.objects if not item.hook))


def _with_data_kept(difference: ObjectDifference) -> ObjectDifference:
    is_kept = difference.change is Change.REMOVED and difference.id.holds_data
    return replace(difference, remark=STAYS) if is_kept else difference


def _obstacles(request: RollbackRequest, deployment: Deployment, tools: DeliverTools) -> list[ForgeError]:
    reasons = [] if request.force_version else obstacles.of_version(deployment, tools)
    if not request.is_forced:
        reasons += obstacles.of(deployment, tools, recreates=request.recreates)
    return reasons


def target(request: RollbackRequest, tools: DeliverTools) -> tuple[Release, Deployment]:
    """The release to go back to, with its files.

    Raises:
        ReleaseError, ExceptionGroup: if it is not there or damaged, and for everything that keeps the stack from going back.
    """
    chosen, deployment = kept(request, tools)
    raise_all(_obstacles(request, deployment, tools))
    return chosen, deployment


def kept(request: RollbackRequest, tools: DeliverTools, destination: str = "") -> tuple[Release, Deployment]:
    """The same, without a look at what keeps the cluster from going back. ``destination`` is one of a central Argo CD.

    Raises:
        ReleaseError, ExceptionGroup: if the release is not there or damaged.
    """
    listed = releases.listed(tools.cluster, request.stack, destination)
    chosen = releases.chosen(listed, _interrupted(listed) if request.to is None else request.to)
    return chosen, releases.deployment(chosen, tools)


def rollback(request: RollbackRequest, tools: DeliverTools, deploy: Deploy[Deployed]) -> tuple[Release, Deployed]:
    """Go back; the release that was deployed again, and what `deploy` says.

    Raises:
        ReleaseError, ExceptionGroup: as `target`; nothing was changed.
        ForgeError: as ``deploy``.
    """
    chosen, deployment = target(request, tools)
    return chosen, deploy(deployment, cause(chosen))


def cause(chosen: Release) -> str:
    """Why a release is deployed again (`Release.cause`)."""
    return f"{_CAUSE}{chosen.number}"


def _interrupted(kept: Sequence[Release]) -> int | None:
    """The release to which the last run was going back when it was killed."""
    newest = kept[-1] if kept else None
    if newest is None or newest.result not in (Result.RUNNING, Result.INTERRUPTED):
        return None
    number = newest.cause.removeprefix(_CAUSE)
    return int(number) if number != newest.cause and number.isascii() and number.isdigit() else None


def after_failure(
    stack: str, run: str, tools: DeliverTools, deploy: Deploy[Deployed]
) -> tuple[Release, Deployed] | None:
    """Go back by itself after a deployment that has failed; None if there is no good release to go back to, or the newest one is
    none of this ``run`` that has failed.

    Raises:
        ReleaseError, ExceptionGroup: as `target`: the stack stays as the failure left it.
    """
    kept = releases.listed(tools.cluster, stack)
    has_failed = bool(kept) and (kept[-1].run, kept[-1].result) == (run, Result.FAILED)
    if not has_failed or not any(one.result is Result.DEPLOYED and one.folders for one in kept[:-1]):
        return None
    # That release was at work in this cluster until now, so the cluster's version is none that it does not bear.
    return rollback(RollbackRequest(stack=stack, force_version=True), tools, deploy)
