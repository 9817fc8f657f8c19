"""The releases of a stack in a cluster: written by each deployment, read by `history` and `rollback` (ADR 0039).

Where a central Argo CD delivers the stack to other clusters, its own cluster keeps the releases of each of them. They are
counted for each ``destination``, the name of such a cluster; empty: the cluster that keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from cluster_forge import __version__
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.errors import BusyError, ReleaseError
from cluster_forge.gitops import audit_entry, release
from cluster_forge.gitops.parts import CLUSTER_LABEL, STACK_LABEL
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.release import Release, ReleasedComponent, Result
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Cluster
from cluster_forge.stages.deliver import creation
from cluster_forge.stages.deliver import deployment as deployments
from cluster_forge.stages.deliver.cluster_records import audit_log, release_files
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.tools import DeliverTools

KEPT: Final = 10
"""Releases of a stack that a cluster keeps, and the last good one."""
_GOOD: Final = (Result.DEPLOYED,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The release of a deployment that has begun; ``former``: the number of the last good one before it that can be deployed
    again, 0 if there is none.
    """

    release: Release
    former: int


def begin(deployment: Deployment, tools: DeliverTools, *, run: str, cause: str = "", destination: str = "") -> Begun:
    """Write the release of a deployment that begins, with its files. The caller holds the lease of the stack, and begins
    one at a time.

    Releases that were running are marked as interrupted, and old ones are deleted.

    Raises:
        BusyError: if another deployment has written a release of that number.
        ClusterError, RefusedError, ReleaseError, ExceptionGroup: if the cluster does not take it, or as `listed`.
    """
    everywhere = listed_everywhere(tools.cluster, deployment.name)
    former = [one for one in everywhere if one.cluster == destination]
    for one in former:
        if one.result is Result.RUNNING:
            end(replace(one, message="it ended without a word"), Result.INTERRUPTED, tools)
    plan = deployment.plan
    new = Release(
        number=max((one.number for one in former), default=0) + 1,
        stack=plan.stack,
        version=plan.version,
        cluster=destination,
        environment=plan.environment,
        narrowed=plan.narrowed,
        image=str(deployment.image or ""),
        engine=plan.engine.value,
        cause=cause,
        user=tools.cluster.about().user,
        run=run,
        tool=__version__,
        began=audit_log.now(tools),
        components=tuple(map(component, plan.parts)),
        folders=release_files.keep(plan.stack, deployment.files, everywhere, tools),
    )
    if not creation.create(release.secret(new), tools.cluster):
        raise BusyError(
            "another deployment has begun this release",
            where=str(new.id),
            fix="see `cluster-forge history`, then run it again",
        )
    _trim(plan.stack, [*former, new], [one for one in everywhere if one.cluster != destination], tools)
    return Begun(release=new, former=max((one.number for one in _ways_back(former)), default=0))


def end(running: Release, result: Result, tools: DeliverTools, *, message: str = "") -> Release:
    """Write what became of a release."""
    ended = replace(running, result=result, ended=audit_log.now(tools), message=message or running.message)
    tools.cluster.replace(release.secret(ended))
    audit_log.append(tools, ended.stack, audit_entry.of(ended))
    return ended


def listed(cluster: Cluster, stack: str, destination: str = "") -> tuple[Release, ...]:
    """The releases of a stack, oldest first.

    Raises:
        ReleaseError, ExceptionGroup: for each Secret that holds none.
    """
    place = f"{CLUSTER_LABEL}={destination}" if destination else f"!{CLUSTER_LABEL}"
    return _read(cluster, stack, f",{place}")


def listed_everywhere(cluster: Cluster, stack: str) -> tuple[Release, ...]:
    """The same for the cluster itself and for all others that its Argo CD delivers to.

    Raises:
        ReleaseError, ExceptionGroup: for each Secret that holds none.
    """
    return _read(cluster, stack)


def _read(cluster: Cluster, stack: str, labels: str = "") -> tuple[Release, ...]:
    secrets = cluster.list(release_files.secrets(f"{STACK_LABEL}={stack},{release.NUMBER_LABEL}{labels}")).items
    read = gathered(partial(release.read, body) for body in secrets)
    return tuple(sorted(read, key=lambda one: one.number))


def component(part: Part) -> ReleasedComponent:
    """A component as a release has it. Its digest is over all its objects, so that two releases can be compared."""
    listed = "".join(f"{item.digest.hex} {item.path}\n" for item in part.objects)
    return ReleasedComponent(name=part.name, version=part.version, digest=str(Digest.of(listed.encode())))


def versions(released: Sequence[Release]) -> dict[str, str]:
    """The version of each component that was deployed last; none where no release says so."""
    return {component.name: component.version for component in released[-1].components} if released else {}


def stacks(cluster: Cluster, *, also_elsewhere: bool = False) -> tuple[str, ...]:
    """The stacks that have releases in the cluster, for the cluster itself; ``also_elsewhere``: or for other destinations."""
    here = "" if also_elsewhere else f",!{CLUSTER_LABEL}"
    secrets = cluster.list(release_files.labeled(f"{release.NUMBER_LABEL}{here}")).items
    return tuple(sorted({str((body["metadata"].get("labels") or {}).get(STACK_LABEL, "")) for body in secrets} - {""}))


def chosen(releases: Sequence[Release], to: int | None) -> Release:
    """The release to go back to: number ``to``, or else the last good one before the newest.

    One of a narrowed stack is chosen only where the newest has the same components: it says nothing of the others.

    Raises:
        ReleaseError: if there is no such release, or it cannot be deployed again.
    """
    if not releases:
        raise ReleaseError(
            "the stack has no releases in this cluster",
            fix="deploy it first: cluster-forge deploy; or choose --context",
        )
    if to is None:
        selections = {"", releases[-1].narrowed}
        earlier = [one for one in _ways_back(releases[:-1]) if one.narrowed in selections]
        if not earlier:
            raise ReleaseError(
                f"there is no good release before {releases[-1].number}: {_numbers(releases)}",
                fix="name one: --to RELEASE, or deploy the folder of an earlier version",
            )
        return earlier[-1]
    match = next((one for one in releases if one.number == to), None)
    if match is None:
        raise ReleaseError(
            f"there is no release {to}: this cluster has {_numbers(releases)}", fix="name one of them: --to RELEASE"
        )
    if not match.folders:
        raise ReleaseError(
            f"release {to} was deployed by deploy.sh, which keeps no files in the cluster",
            fix=f"deploy the folder of version {match.version}: sh stacks/{match.stack}/deploy.sh",
        )
    return match


def deployment(chosen: Release, tools: DeliverTools) -> Deployment:
    """The deployment of a release.

    Raises:
        ReleaseError, ExceptionGroup: as `release_files.files`, and if it is not the one that the release says.
        StaleError, EditedError, ExceptionGroup: as `deployment.of`.
    """
    read = deployments.of(release_files.files(chosen, tools), f"release {chosen.number} of {chosen.stack}")
    plan = read.plan
    if (plan.stack, plan.version, plan.environment) != (chosen.stack, chosen.version, chosen.environment):
        raise ReleaseError(
            f"its files are those of {plan.stack} {plan.version} {plan.environment}".rstrip(),
            where=str(chosen.id),
            fix="someone has changed it in the cluster: deploy the stack's folder of that version instead",
        )
    return read


def last_plan(listed: Sequence[Release], tools: DeliverTools) -> DeployPlan | None:
    """The plan of the newest release of the whole stack that has its files, with the components of those of narrowed stacks
    that came after it; None where none has files.

    Raises:
        ReleaseError, StaleError, EditedError, ExceptionGroup: as `deployment`.
    """
    kept = [one for one in listed if one.folders]
    whole = max((number for number, one in enumerate(kept) if not one.narrowed), default=0)
    plans = [deployment(one, tools).plan for one in kept[whole:]]
    if not plans:
        return None
    parts = {part.name: part for plan in plans for part in plan.parts}
    components = {component.name: component for plan in plans for component in plan.components}
    return replace(plans[0], parts=tuple(parts.values()), components=tuple(components.values()))


def remove_of(stack: str, destination: str, tools: DeliverTools) -> tuple[Release, ...]:
    """Delete the releases of a stack for one destination, and what only they had; the releases of the others.

    Raises:
        ReleaseError, ExceptionGroup: as `listed`.
    """
    everywhere = _read(tools.cluster, stack)
    others = tuple(one for one in everywhere if one.cluster != destination)
    for one in everywhere:
        if one.cluster == destination:
            tools.cluster.delete(one.id)
    release_files.delete_unused(stack, others, tools)
    return others


def remove(stack: str, tools: DeliverTools) -> bool:
    """Delete the releases of a stack for the cluster itself, also damaged ones; whether it keeps some for other destinations.

    Raises:
        ReleaseError, ExceptionGroup: as `listed`, for those of other destinations.
    """
    _delete(f"{STACK_LABEL}={stack},{release.NUMBER_LABEL},!{CLUSTER_LABEL}", tools)
    others = _read(tools.cluster, stack)
    if others:
        release_files.delete_unused(stack, others, tools)
    else:
        _delete(f"{STACK_LABEL}={stack},{release.CONTENT_LABEL}", tools)
    return bool(others)


def _delete(labels: str, tools: DeliverTools) -> None:
    for body in tools.cluster.list(release_files.labeled(labels)).items:
        tools.cluster.delete(release.secret_id(release_files.name_of(body)))


def _trim(stack: str, releases: Sequence[Release], others: Sequence[Release], tools: DeliverTools) -> None:
    """Delete the oldest releases, then what only they had; the last good one stays, also the last one of the whole stack, and
    the last one to go back to. ``others`` are those of other destinations, which may have the same files.
    """
    good = [one for one in releases if one.result in _GOOD]
    whole = [one for one in good if not one.narrowed]
    kept = {one.number: one for one in [*good[-1:], *whole[-1:], *_ways_back(releases)[-1:], *releases[-KEPT:]]}
    for one in releases:
        if one.number not in kept:
            tools.cluster.delete(one.id)
    release_files.delete_unused(stack, [*kept.values(), *others], tools)


def _ways_back(releases: Sequence[Release]) -> list[Release]:
    """Those that can be deployed again, and were good."""
    return [one for one in releases if one.result in _GOOD and one.folders]


def _numbers(releases: Sequence[Release]) -> str:
    return ", ".join(f"{one.number} ({one.version}, {one.result.value})" for one in releases)
