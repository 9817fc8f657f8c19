"""The API server accepts the objects: server-side apply as a dry run, with admission, quotas and immutable fields.

A dry run costs a request for each object, as much as applying it. So without ``tries_all`` only those are tried that can tell
something new: what is in the cluster already and changes, and of what is new the first object of each kind in a namespace
(ADR 0040). What needs an earlier step of the deployment, such as a namespace or a CRD, cannot be tried and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.steps import FIELD_MANAGER, SETTINGS_MANAGER
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports.cluster import ApplyOptions
from cluster_forge.stages.deliver.preflight import pod_security
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "whether the API server accepts the objects"
IS_NEEDED: Final = True
REFUSED: Final = "refused-object"
CONFLICT: Final = "field-conflict"
IMMUTABLE: Final = "immutable-field"
_ARGO_CD: Final = "argocd-controller"
_INCONCLUSIVE: Final = re.compile(
    r'no matches for kind|ensure CRDs are installed first|namespaces? "[^"]*" not found|the server has no kind'
    r"|could not find the requested resource|does not support dry run|failed calling webhook|being terminated"
)
"""What a dry run says because the earlier steps have not been applied (``scripts/apply.sh``)."""
_IMMUTABLE: Final = re.compile(r"field is immutable|updates to \S+ spec for fields other than|may not change once set")
_MADE_ANEW: Final = frozenset({("batch", "Job"), ("", "Pod")})
"""Deleted and created again by each deployment."""
_MANAGER: Final = re.compile(r'conflict with "([^"]*)"')
_SHOWN: Final = 10
_NOT_FOUND, _CONFLICT_STATUS = 404, 409


def problems(situation: Situation) -> Iterator[Problem]:
    for found in situation.tools.workers.map(lambda manifest: _tried(manifest, situation), list(_chosen(situation))):
        yield from found


def _chosen(situation: Situation) -> Iterator[Manifest]:
    """The objects to try."""
    there = {item.id for item in situation.owner_facts.live}
    seen: set[tuple[str, str, str]] = set()
    for manifest in situation.manifests:
        identity = manifest.id
        if not _can_be_tried(identity, situation) or manifest.facts.hook:
            continue
        is_first = (identity.group, identity.kind, identity.namespace) not in seen
        seen.add((identity.group, identity.kind, identity.namespace))
        is_changed = identity in there and manifest.provenance.component not in situation.unchanged
        if situation.options.tries_all or is_changed or (is_first and identity not in there):
            yield manifest


def _can_be_tried(identity: ObjectId, situation: Situation) -> bool:
    is_placed = not identity.namespace or identity.namespace in situation.namespaces
    return is_placed and situation.served.find(identity.group, identity.kind) is not None


def _tried(manifest: Manifest, situation: Situation) -> list[Problem]:
    """One object. Argo CD takes fields over in any case."""
    is_by_argo = situation.plan.delivery is not Delivery.DIRECT
    force = situation.options.force_conflicts or is_by_argo
    manager = _ARGO_CD if is_by_argo else FIELD_MANAGER
    try:
        return _warned(manifest, _apply(manifest, situation, manager, force=force))
    except RefusedError as error:
        if error.status != _CONFLICT_STATUS or not _fields(error):
            return [*_refused(manifest, error)]
        foreign = {field: owner for field, owner in _fields(error).items() if not _is_taken(owner, field)}
        if foreign:
            return [_conflict(manifest, foreign)]
    try:  # only fields that the deployment takes over itself
        return _warned(manifest, _apply(manifest, situation, manager, force=True))
    except RefusedError as error:
        return [*_refused(manifest, error)]


def _apply(manifest: Manifest, situation: Situation, manager: str, *, force: bool) -> tuple[str, ...]:
    options = ApplyOptions(manager=manager, force=force, is_trial=True)
    return situation.cluster.apply(manifest.body, options).warnings


def _warned(manifest: Manifest, warnings: tuple[str, ...]) -> list[Problem]:
    """What the server said of a workload whose Pods it would refuse (Kubernetes, "Pod Security Admission", ``warn``)."""
    return [
        Problem(
            code=pod_security.CODE,
            message=warning,
            where=str(manifest.id),
            severity=Severity.WARNING,
            fix="set `securityContext` in the values",
        )
        for warning in warnings
        if "violate PodSecurity" in warning
    ]


def _fields(error: RefusedError) -> dict[str, str]:
    """The fields in conflict, each with the manager that has set it."""
    matches = ((cause.field, _MANAGER.search(cause.message)) for cause in error.causes)
    return {field: match[1] for field, match in matches if match}


def _is_taken(manager: str, field: str) -> bool:
    """Whether a deployment takes the field over without being told: from itself, and certificates that controllers write."""
    return manager in (FIELD_MANAGER, SETTINGS_MANAGER) or field.endswith(".caBundle")


def _conflict(manifest: Manifest, fields: dict[str, str]) -> Problem:
    shown = [f"{field} ({manager})" for field, manager in sorted(fields.items())]
    more = f", and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return Problem(
        code=CONFLICT,
        message=f"other managers have set fields to other values: {', '.join(shown[:_SHOWN])}{more}",
        where=str(manifest.id),
        fix="leave these fields out of the stack",
        option="--force-conflicts",
    )


def _refused(manifest: Manifest, error: RefusedError) -> Iterator[Problem]:
    kind = (manifest.id.group, manifest.id.kind)
    is_immutable = bool(_IMMUTABLE.search(error.message))
    if _INCONCLUSIVE.search(error.message) or (is_immutable and kind in _MADE_ANEW) or _is_mended(manifest, error):
        return
    if is_immutable:
        yield Problem(
            code=IMMUTABLE,
            message=error.message,
            where=str(manifest.id),
            fix="keep the field as it is",
            option="--recreate",
        )
    else:
        yield Problem(
            code=REFUSED,
            message=f"the API server refuses it: {error.message}",
            where=str(manifest.id),
            fix=error.fix or "change the object (`values` or `patches` of its component), or what refuses it",
            option=f"--allow {REFUSED}",
        )


def _is_mended(manifest: Manifest, error: RefusedError) -> bool:
    """Whether all that is wrong is half a conversion webhook, which a deployment takes out of a CRD first."""
    is_crd = manifest.id.kind == "CustomResourceDefinition"
    return is_crd and bool(error.causes) and all(cause.field.startswith("spec.conversion") for cause in error.causes)
