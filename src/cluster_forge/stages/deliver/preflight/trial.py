"""The API server accepts the objects: server-side apply as a dry run, with admission, quotas and fields that cannot change.

A dry run costs a request for each object, as much as applying it. So without ``tries_all`` only those are tried that can tell
something new: what is in the cluster already and is to be changed (`unchanged`), and of what is new the first object of each
kind in a namespace (ADR 0040). What needs an earlier step of the deployment, such as a namespace or a CRD, cannot be tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.gitops import engine
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests import managed_fields
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body, Document
from cluster_forge.ports.cluster import Applied, ApplyOptions
from cluster_forge.stages.deliver.direct import applier, refusals, stored_versions, surroundings, unchangeable
from cluster_forge.stages.deliver.preflight import pod_security, unchanged
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "whether the API server accepts the objects"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "refused-object": "The API server refuses an object: not valid, denied by admission, over a quota.",
    "field-conflict": "Another manager has set fields of an object (`--force-conflicts`).",
    "immutable-field": "A field cannot change (`--recreate`).",
}
REFUSED: Final = "refused-object"
CONFLICT: Final = "field-conflict"
IMMUTABLE: Final = "immutable-field"
_NO_DRY_RUN: Final = re.compile("does not support dry run|failed calling webhook")
"""What the API server says where a webhook keeps it from trying (``scripts/apply.sh``): nothing about the object."""
_POD_SECURITY: Final = "violate PodSecurity"
_REPLACED: Final = frozenset({("batch", "Job"), ("", "Pod")})
"""Deleted and created again by a deployment."""
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """An object as ``manager`` would apply it; ``force``: whose fields it takes over in any case."""

    id: ObjectId
    document: Document
    manager: str
    force: bool


def problems(situation: Situation) -> Iterator[Problem]:
    candidates = list(_chosen(situation))
    for problems_of_one in situation.tools.workers.map(
        lambda candidate: list(_tried(candidate, situation)), candidates
    ):
        yield from problems_of_one


def _chosen(situation: Situation) -> Iterator[_Candidate]:
    there = {item.id for item in situation.owner_facts.live}
    same = frozenset() if situation.options.tries_all else unchanged.objects(situation)
    seen: set[tuple[str, str, str]] = set()
    for candidate in {candidate.id: candidate for candidate in _candidates(situation)}.values():
        identity = candidate.id
        if not _can_be_tried(identity, situation) or identity in same:
            continue
        is_first = (identity.group, identity.kind, identity.namespace) not in seen
        seen.add((identity.group, identity.kind, identity.namespace))
        if situation.options.tries_all or is_first or identity in there:
            yield candidate


def _candidates(situation: Situation) -> Iterator[_Candidate]:
    """All objects: those of the plan's own steps, and those of the parts that an engine applies itself, which takes fields over."""
    force = situation.options.force_conflicts
    for step, manifest in zip(situation.documents, situation.own_manifests, strict=True):
        yield _Candidate(id=step.id, document=manifest.document, manager=step.manager, force=force)
    if situation.plan.delivery is not Delivery.DIRECT and situation.parts:
        manager = engine.FIELD_MANAGERS.get(situation.plan.engine, FIELD_MANAGER)
        own = {step.id for step in situation.documents}
        for manifest in situation.manifests:
            if manifest.id not in own:
                yield _Candidate(id=manifest.id, document=manifest.document, manager=manager, force=True)


def _can_be_tried(identity: ObjectId, situation: Situation) -> bool:
    is_placed = not identity.namespace or identity.namespace in situation.namespaces
    return is_placed and situation.served.find(identity.group, identity.kind) is not None


def _tried(candidate: _Candidate, situation: Situation) -> Iterator[Problem]:
    try:
        yield from _warned(candidate, _apply(candidate, situation, force=candidate.force))
    except RefusedError as error:
        if foreign := refusals.foreign(error, surroundings.engine_managers(situation.plan)):
            yield _conflict(candidate, foreign)
        elif refusals.conflicts(error):  # only over fields that a deployment takes over itself
            yield from _forced(candidate, situation)
        else:
            yield from _refused(candidate, error, situation)


def _forced(candidate: _Candidate, situation: Situation) -> Iterator[Problem]:
    try:
        yield from _warned(candidate, _apply(candidate, situation, force=True))
    except RefusedError as error:
        yield from _refused(candidate, error, situation)


def _apply(candidate: _Candidate, situation: Situation, *, force: bool) -> Applied:
    options = ApplyOptions(manager=candidate.manager, force=force, is_trial=True)
    return situation.cluster.apply(candidate.document.passing_body(), options)


def _warned(candidate: _Candidate, accepted: Applied) -> Iterator[Problem]:
    """What the server said of a workload whose Pods it would refuse (Kubernetes, "Pod Security Admission", ``warn``)."""
    for warning in accepted.warnings:
        if _POD_SECURITY in warning:
            yield Problem(
                code=pod_security.CODE,
                message=warning,
                where=str(candidate.id),
                fix="set `securityContext` in the values",
                severity=Severity.WARNING,
            )


def _conflict(candidate: _Candidate, foreign: tuple[tuple[str, str], ...]) -> Problem:
    shown = ", ".join(f"{path} of {manager}" for manager, path in foreign[:_SHOWN])
    more = f", and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
    return Problem(
        code=CONFLICT,
        message=f"other managers have set fields of it: {shown}{more}",
        where=str(candidate.id),
        fix="keep the fields out of the stack",
        option="--force-conflicts",
    )


def _refused(candidate: _Candidate, error: RefusedError, situation: Situation) -> Iterator[Problem]:
    if _says_nothing(error):
        return
    causes = refusals.unchangeable(error)
    live = situation.cluster.get(candidate.id) if refusals.invalid_fields(error) else None
    if live and (versions := stored_versions.lost(live, candidate.document.passing_body(), error)):
        with_objects = stored_versions.has_objects(live, situation.cluster)
        yield Problem(
            code=IMMUTABLE,
            message=stored_versions.message(versions),
            where=str(candidate.id),
            fix=stored_versions.fix(live, with_objects=with_objects),
            option="" if with_objects else "--recreate",
        )
        return
    if live and _is_mended(candidate, error, live):
        return
    if causes and live:
        if (candidate.id.group, candidate.id.kind) in _REPLACED:
            return
        named = unchangeable.error(
            candidate.id, unchangeable.fields(live, candidate.document.passing_body(), causes), error
        )
        can_be_recreated = not candidate.id.holds_data
        yield Problem(
            code=IMMUTABLE,
            message=named.message,
            where=str(candidate.id),
            fix="keep the fields as they are" if can_be_recreated else named.fix or "",
            option="--recreate" if can_be_recreated else "",
        )
        return
    code = pod_security.CODE if _POD_SECURITY in error.message else REFUSED
    yield Problem(
        code=code,
        message=f"the API server refuses it: {error.message}",
        where=str(candidate.id),
        fix=error.fix or "change the object (`values` or `patches` of its component), or what refuses it",
        option=f"--allow {code}",
    )


def _says_nothing(error: RefusedError) -> bool:
    """Whether the refusal comes from what is not there yet: a namespace, a kind, a webhook."""
    return refusals.is_temporary(error) or bool(_NO_DRY_RUN.search(error.message))


def _is_mended(candidate: _Candidate, error: RefusedError, live: Body) -> bool:
    """Whether a deployment takes out of the object first what makes it invalid."""
    abandoned = managed_fields.abandoned(live, candidate.manager, candidate.document.passing_body())
    return bool(applier.leftovers(abandoned, refusals.invalid_fields(error)))
