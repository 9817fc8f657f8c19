"""rollback: a stack back to an earlier release, deployed from the files that the cluster keeps of it (ADR 0039).

What going back would lose, or cannot do, is said before the first change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

from cluster_forge.foundation.errors import ForgeError, ReleaseError, raise_all
from cluster_forge.gitops.release import Release, Result
from cluster_forge.gitops.steps import Apply, ApplyCrds
from cluster_forge.manifests import quantity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.tools import DeliverTools

Deployed = TypeVar("Deployed")
Deploy = Callable[[Deployment, str], Deployed]
"""Deploys a release; the text says why it is deployed (`Release.cause`)."""
_CAUSE: Final = "rollback to "
_FORCED: Final = "or go back all the same: --force-rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """Back to release ``to`` of a stack, or to the last good one before the newest; ``is_forced``: also where data would be lost.

    After a way back that was interrupted, ``to`` is its release.
    """

    stack: str
    to: int | None = None
    is_forced: bool = False


def target(request: RollbackRequest, tools: DeliverTools) -> tuple[Release, Deployment]:
    """The release to go back to, with its files.

    Raises:
        ReleaseError, ExceptionGroup: if it is not there or damaged, and for everything that keeps the stack from going back.
    """
    kept = releases.listed(tools.cluster, request.stack)
    chosen = releases.chosen(kept, _interrupted(kept) if request.to is None else request.to)
    deployment = releases.deployment(chosen, tools)
    if not request.is_forced:
        raise_all(obstacles(deployment, tools))
    return chosen, deployment


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


def after_failure(stack: str, tools: DeliverTools, deploy: Deploy[Deployed]) -> tuple[Release, Deployed] | None:
    """Go back by itself after a deployment that has failed; None if there is no good release to go back to.

    Raises:
        ReleaseError, ExceptionGroup: as `target`: the stack stays as the failure left it.
    """
    kept = releases.listed(tools.cluster, stack)
    if not any(one.result is Result.DEPLOYED and one.folders for one in kept[:-1]):
        return None
    return rollback(RollbackRequest(stack=stack), tools, deploy)


def obstacles(deployment: Deployment, tools: DeliverTools) -> list[ForgeError]:
    """Everything that keeps the cluster from going to the deployment without a loss: CRDs and volumes that cannot go back."""
    documents = [
        document
        for component in deployment.plan.components
        for step in component.steps
        if isinstance(step, Apply | ApplyCrds)
        for document in step.documents
        if any(kind in document for kind in _JUDGED)
    ]
    bodies = [tools.reader.read(document.decode()) for document in documents]
    errors = tools.workers.map(partial(_obstacle, tools), [body for body in bodies if body.get("kind") in _JUDGES])
    return [error for error in errors if error is not None]


def _obstacle(tools: DeliverTools, body: Body) -> ForgeError | None:
    live = tools.cluster.get(ObjectId.of(body))
    judge = _JUDGES[body["kind"]]
    return next(judge(body, live), None) if live else None


def _of_crd(body: Body, live: Body) -> Iterator[ReleaseError]:
    """Objects in a version that a CRD does not have cannot be read any more (Kubernetes, "Versions in
    CustomResourceDefinitions", "Upgrade existing objects to a new stored version").
    """
    kept = {str(version.get("name")) for version in (body.get("spec") or {}).get("versions") or ()}
    stored = [str(version) for version in (live.get("status") or {}).get("storedVersions") or ()]
    if lost := [version for version in stored if version not in kept]:
        yield ReleaseError(
            f"objects may be stored in version {', '.join(lost)}, which the CRD of that release does not have",
            where=str(ObjectId.of(body)),
            fix=f"migrate the stored objects and status.storedVersions to {', '.join(sorted(kept))} first, {_FORCED}",
        )


def _of_volume(body: Body, live: Body) -> Iterator[ReleaseError]:
    """A claim cannot shrink (Kubernetes, "Persistent Volumes", "Expanding Persistent Volumes Claims")."""
    wanted, present = _size(body), _size(live)
    if wanted and present and wanted < present:
        yield ReleaseError(
            f"the volume has {quantity.size(present)}, and {quantity.size(wanted)} in that release: it cannot shrink",
            where=str(ObjectId.of(body)),
            fix="keep the larger size in an own release: forge that version with it, and deploy",
        )


def _of_stateful_set(body: Body, live: Body) -> Iterator[ReleaseError]:
    """Of a StatefulSet only some fields can change (Kubernetes, ``ValidateStatefulSetUpdate``)."""
    wanted, present = body.get("spec") or {}, live.get("spec") or {}
    changed = [
        name
        for name in ("serviceName", "podManagementPolicy", "selector")
        if name in wanted and name in present and wanted[name] != present[name]
    ]
    sizes = {name: _size(template) for name, template in _templates(present).items()}
    changed += [
        f"volumeClaimTemplates[{name}]"
        for name, template in _templates(wanted).items()
        if name not in sizes or _size(template) != sizes[name]
    ]
    if changed:
        yield ReleaseError(
            f"{', '.join(changed)} cannot change in a StatefulSet that is there",
            where=str(ObjectId.of(body)),
            fix=f"delete it without its Pods first: kubectl delete --cascade=orphan, {_FORCED}",
        )


def _templates(spec: Mapping[str, Any]) -> dict[str, Body]:
    return {str((one.get("metadata") or {}).get("name")): one for one in spec.get("volumeClaimTemplates") or ()}


def _size(claim: Body) -> Decimal | None:
    """The bytes that a claim asks for; None where it does not say."""
    try:
        return quantity.parse(claim["spec"]["resources"]["requests"]["storage"])
    except (KeyError, TypeError, ValueError):
        return None


_JUDGES: Final = {
    "CustomResourceDefinition": _of_crd,
    "PersistentVolumeClaim": _of_volume,
    "StatefulSet": _of_stateful_set,
}
_JUDGED: Final = tuple(kind.encode() for kind in _JUDGES)
