"""What keeps a cluster from going back to a release: data that would be lost, fields that cannot change, its version.

Where a GitOps engine applies the objects, the release does not have them. It keeps the fields of them that decide
(`with_deciding_fields`), which do not depend on where the engine reads from, nor on what is still there. Where only a central
Argo CD reaches the cluster, two releases are compared (`between`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, Final

from cluster_forge.foundation import quantity
from cluster_forge.foundation.errors import ForgeError, ReleaseError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops import steps
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.steps import Apply, ApplyCrds
from cluster_forge.manifests import emitter, immutable_fields
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.direct import step_documents
from cluster_forge.stages.deliver.direct.step_documents import StepDocument
from cluster_forge.stages.deliver.preflight import version
from cluster_forge.stages.deliver.tools import DeliverTools

DECIDING: Final = "deciding-fields.yaml"
"""The file of a release, beside ``stack.json``."""
_FORCED: Final = "or go back all the same: --force-rollback"
_CLAIM: Final = ("", "PersistentVolumeClaim")
_SIZE: Final = "spec.resources.requests.storage"
_VERSIONS: Final = "spec.versions[*].name"
_STORAGE: Final = "spec.versions[*].storage"
_STORED: Final = "status.storedVersions"
_JUDGED: Final = frozenset(immutable_fields.FIELDS)
Judge = Callable[[Body, Body], Iterator[ReleaseError]]
"""From an object as the release has it, and as it is in the cluster."""


def with_deciding_fields(deployment: Deployment, parts: Iterable[Part]) -> Deployment:
    """The deployment with the fields that `of` looks at among its files, for the objects that an engine applies."""
    judged = (item for part in parts for item in part.objects if _kind(item.id) in _JUDGED)
    trimmed = (_trimmed(item.document.passing_body()) for item in judged if item.document)
    documents = tuple(emitter.document(body).encode() for body in trimmed)
    kept = FileTree({DECIDING: steps.content(Apply(file=DECIDING, documents=documents))})
    return replace(deployment, beside=join(deployment.beside, kept))


def of(deployment: Deployment, tools: DeliverTools, *, recreates: bool = False) -> list[ForgeError]:
    """Everything that keeps the cluster from going to the deployment without a loss; with ``recreates`` a field that cannot
    change does not count where nothing is lost with the object.

    Raises:
        ManifestError: if what the release has is not an object.
    """
    documents = [document for document in _documents(deployment, tools) if _kind(document.id) in _JUDGED]
    judge = partial(_of_immutable_fields, option="--recreate", is_direct=deployment.plan.delivery is Delivery.DIRECT)
    obstacles = tools.workers.map(partial(_obstacle, tools, recreates, judge), documents)
    return [error for error in obstacles if error is not None]


def between(deployment: Deployment, newest: Deployment, tools: DeliverTools) -> list[ForgeError] | None:
    """What `of` finds if the cluster is as the newest release of an engine has it; None if that one does not have the fields.

    Raises:
        ManifestError: if what one of them has is not an object.
    """
    if DECIDING not in newest.beside.files:
        return None
    there = {document.id: _as_stored(document.body(tools.reader)) for document in _kept(newest, tools)}
    judged = (
        _first(document, there[document.id], tools, [partial(_of_immutable_fields, option="")])
        for document in _kept(deployment, tools)
        if document.id in there
    )
    return [error for error in judged if error is not None]


def of_version(deployment: Deployment, tools: DeliverTools) -> list[ForgeError]:
    """That the cluster has a Kubernetes version by now that the release is not made for."""
    about, target = tools.cluster.about(), deployment.plan.kubernetes.minor
    there = about.minor
    if there is None or version.is_supported(target, there):
        return []
    return [
        ReleaseError(
            f"the release is made for Kubernetes 1.{target}, and the cluster is 1.{there} (supported: one minor apart)",
            where=str(about),
            fix=f"deploy a version of the stack for 1.{there}, or go back all the same: --force-version",
        )
    ]


def _documents(deployment: Deployment, tools: DeliverTools) -> Iterator[StepDocument]:
    """What is applied directly, and what an engine applies."""
    yield from _kept(deployment, tools)
    for component in deployment.plan.components:
        for step in component.steps:
            if isinstance(step, Apply | ApplyCrds):
                yield from step_documents.of(step, tools.reader)


def _kept(deployment: Deployment, tools: DeliverTools) -> Sequence[StepDocument]:
    """The objects that an engine applies, with their deciding fields."""
    kept = deployment.beside.files.get(DECIDING, b"")
    return step_documents.of(steps.with_content(Apply(file=DECIDING), kept), tools.reader)


def _obstacle(
    tools: DeliverTools,
    recreates: bool,  # noqa: FBT001 - for map
    of_fields: Judge,
    document: StepDocument,
) -> ForgeError | None:
    live = tools.cluster.get(document.id)
    if live is None:
        return None
    can_change = recreates and not document.id.holds_data
    return _first(document, live, tools, [] if can_change else [of_fields])


def _first(document: StepDocument, live: Body, tools: DeliverTools, others: Sequence[Judge]) -> ForgeError | None:
    """What the judge of the kind says, or else one of the others."""
    own = _OWN_JUDGES.get(_kind(document.id))
    judges = [*([own] if own else []), *others]
    body = document.body(tools.reader)
    return next((error for judge in judges for error in judge(body, live)), None)


def _of_crd(body: Body, live: Body) -> Iterator[ReleaseError]:
    """Objects in a version that a CRD does not have cannot be read any more (Kubernetes, "Versions in
    CustomResourceDefinitions", "Upgrade existing objects to a new stored version"). Every API server refuses such a CRD, also
    from an engine.
    """
    kept = set(map(str, immutable_fields.picked(body, _VERSIONS) or ()))
    stored = [str(name) for name in immutable_fields.picked(live, _STORED) or ()]
    if lost := [name for name in stored if name not in kept]:
        yield ReleaseError(
            f"objects may be stored in version {', '.join(lost)}, which the CRD of that release does not have",
            where=str(ObjectId.of(body)),
            fix=f"migrate the stored objects and status.storedVersions to {', '.join(sorted(kept))} first",
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


def _of_immutable_fields(body: Body, live: Body, *, option: str, is_direct: bool = False) -> Iterator[ReleaseError]:
    """``option`` has the object deleted and created again, where no data is lost with it; empty: nothing does. An engine leaves
    the object as it is and goes on; a deployment that ``is_direct`` refuses it before its first change, also if it is forced.
    """
    if changed := immutable_fields.changed(live, body):
        target = ObjectId.of(body)
        is_kept = target.holds_data or not option
        recreated = "keep the values of now in an own release" if is_kept else f"pass {option}"
        yield ReleaseError(
            f"{', '.join(changed)} cannot change in a {target.kind} that is there, and differs in that release",
            where=str(target),
            fix=recreated if is_direct else f"{recreated}, {_FORCED}",
        )


def _trimmed(body: Body) -> Body:
    kept = dict(immutable_fields.trimmed(body))
    for path in (_VERSIONS, _STORAGE, _SIZE):
        immutable_fields.put(kept, body, path)
    return kept


def _as_stored(body: Body) -> Body:
    """The object as a cluster has it at least: a CRD with objects in the version in which it stores them."""
    if _kind(ObjectId.of(body)) != CRD:
        return body
    names, stored = (immutable_fields.picked(body, path) or () for path in (_VERSIONS, _STORAGE))
    return {
        **body,
        "status": {"storedVersions": [name for name, is_stored in zip(names, stored, strict=True) if is_stored]},
    }


def _size(claim: Body) -> Decimal | None:
    """The bytes that a claim asks for; None where it does not say."""
    value: Any = immutable_fields.picked(claim, _SIZE)
    try:
        return None if value is None else quantity.parse(value)
    except ValueError:
        return None


def _kind(target: ObjectId) -> tuple[str, str]:
    return target.group, target.kind


_OWN_JUDGES: Final[dict[tuple[str, str], Judge]] = {CRD: _of_crd, _CLAIM: _of_volume}
