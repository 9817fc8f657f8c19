"""How far an Application in the cluster has come with a revision, read from its status (Argo CD, ``types.go``, "ApplicationStatus").

Ready is one that is Synced and Healthy at the wanted revision, compared at it, with no operation that runs, or that failed
for this very commit: one that failed for an older commit is not repeated where nothing differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body

_OPERATING: Final = ("Running", "Terminating")
_UNKNOWN: Final = "Unknown"
_NO_TARGET, _NO_CLUSTER = "Failed to load target state", "Failed to load live state"
"""How Argo CD begins the messages where it cannot read the repository, and where it cannot read the cluster
(``controller/state.go``). Without the cluster there is no target state either: manifests are made for its version."""
_NO_COMPARISON: Final = "Failed to compare desired state"
"""The same where it has both, and cannot compare them: the API server refuses the dry run of an object."""
PAUSE: Final = "argocd.argoproj.io/skip-reconcile"
"""An annotation: Argo CD does not look at an Application where it is true (Argo CD, "Skip Application Reconcile")."""
_TRUE: Final = ("1", "t", "T", "true", "TRUE", "True")
"""What Argo CD takes for it (Go, ``strconv.ParseBool``)."""
_LONGEST: Final = 500
"""Characters of a message of Argo CD's: it may quote a whole object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationState:
    """An Application and the revision that a deployment wants.

    ``lack`` says what it lacks, empty if it is ready: ``OutOfSync, Missing``. ``is_current``: its spec has the wanted
    revision. ``has_failed``: its operation has failed for this commit, and Argo CD does not repeat it by itself.
    ``is_compared``: Argo CD has compared the cluster with this revision. ``is_unreadable``: Argo CD cannot read this
    revision, and says why in ``messages``. ``has_only_crds``: its objects are CRDs, all of them.
    ``messages`` are Argo CD's own; ``unwell`` are its objects that are not healthy, or not known to be; ``refused`` are those
    that the API server may have refused. ``progress`` counts what is done of it: objects that its operation has applied, that
    are synced, that are healthy, and the Application itself.
    """

    name: str
    lack: str
    is_current: bool
    has_failed: bool
    is_operating: bool
    is_compared: bool = False
    is_unreadable: bool = False
    has_only_crds: bool = False
    messages: tuple[str, ...] = ()
    unwell: tuple[ObjectId, ...] = ()
    refused: tuple[ObjectId, ...] = ()
    progress: int = 0

    @property
    def is_ready(self) -> bool:
        return not self.lack


def of(body: Body, revision: str, *, is_narrowed: bool = False) -> ApplicationState:
    """The state of an Application. Of a stack that is narrowed, what a whole stack would prune does not count (ADR 0022)."""
    status = mapping(body.get("status"))
    seen = _Seen(
        wanted=_revision(body.get("spec")),
        compared=_revision(mapping(status.get("sync")).get("comparedTo")),
        sync=_text(mapping(status.get("sync")).get("status")) or "not compared",
        health=_text(mapping(status.get("health")).get("status")) or "health not known",
        phase=_text(mapping(status.get("operationState")).get("phase")),
        is_of_commit=_is_of_commit(status),
        is_paused=is_paused(body),
    )
    lack = "it is being deleted" if body["metadata"].get("deletionTimestamp") else seen.lack(revision)
    if lack and is_narrowed and seen.lacks_sync_alone(revision) and _lacks_pruning_alone(status):
        lack = ""
    return ApplicationState(
        name=_text(body["metadata"]["name"]),
        lack=lack,
        is_current=seen.wanted == revision,
        has_failed=seen.wanted == revision and seen.has_failed,
        is_operating=seen.phase in _OPERATING,
        is_compared=seen.wanted == revision == seen.compared,
        is_unreadable=bool(lack) and seen.wanted == revision and seen.sync == _UNKNOWN and _is_refused(status),
        has_only_crds={resource.get("kind") for resource in _resources(status)} == {CRD_KIND},
        messages=tuple(_messages(status)),
        unwell=tuple(_unwell(status)),
        refused=tuple(map(_id, _refused(status))) if seen.wanted == revision else (),
        progress=_progress(status) + (not lack) if seen.wanted == revision else 0,
    )


def synced(body: Body, revision: str) -> Iterator[ObjectId]:
    """The objects that are in the cluster as ``revision`` has them; none where Argo CD has not compared them with it, or does not
    look at them.
    """
    if of(body, revision).is_compared and not is_paused(body):
        yield from (_id(one) for one in _resources(mapping(body.get("status"))) if one.get("status") == "Synced")


def is_paused(body: Body) -> bool:
    """Whether another user has paused the Application, or the cluster of this Secret: Argo CD does not look at it."""
    return mapping(body["metadata"].get("annotations")).get(PAUSE) in _TRUE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the spec wants, and what the status says; ``is_of_commit``: the operation was for the commit that was compared."""

    wanted: str
    compared: str
    sync: str
    health: str
    phase: str
    is_of_commit: bool
    is_paused: bool

    @property
    def has_failed(self) -> bool:
        return self.phase in ("Failed", "Error") and self.is_of_commit

    def lacks_sync_alone(self, revision: str) -> bool:
        is_seen = self.wanted == revision == self.compared
        is_done = self.phase == "Succeeded" and self.is_of_commit
        return is_seen and is_done and (self.sync, self.health) == ("OutOfSync", "Healthy")

    def lack(self, revision: str) -> str:
        if self.wanted != revision:
            return f"at {self.wanted or 'no revision'}"
        if self.compared != revision:
            return f"paused: its annotation {PAUSE} is true" if self.is_paused else "not compared with the revision yet"
        if (self.sync, self.health) != ("Synced", "Healthy"):
            return f"{self.sync}, {self.health}"
        return f"the sync is {self.phase}" if self.phase in _OPERATING or self.has_failed else ""


def _revision(holder: object) -> str:
    return _text(mapping(mapping(holder).get("source")).get("targetRevision"))


def _is_of_commit(status: Mapping[str, Any]) -> bool:
    commit = _text(mapping(status.get("sync")).get("revision"))
    tried = mapping(mapping(status.get("operationState")).get("syncResult")).get("revision")
    return bool(commit) and tried == commit


def _is_refused(status: Mapping[str, Any]) -> bool:
    """Whether a condition says that the spec or the repository is wrong, and not the cluster, which is looked at again."""
    conditions = [mapping(condition) for condition in sequence(status.get("conditions"))]
    failed = " ".join(_text(one.get("message")) for one in conditions if one.get("type") == "ComparisonError")
    is_wrong = any(condition.get("type") == "InvalidSpecError" for condition in conditions)
    return is_wrong or (_NO_TARGET in failed and _NO_CLUSTER not in failed)


def _lacks_pruning_alone(status: Mapping[str, Any]) -> bool:
    differing = [resource for resource in _resources(status) if resource.get("status") == "OutOfSync"]
    return bool(differing) and all(resource.get("requiresPruning") is True for resource in differing)


def _messages(status: Mapping[str, Any]) -> Iterator[str]:
    """The messages of the operation, of the conditions and of the objects; one that says that all is well is none."""
    operation = mapping(status.get("operationState"))
    if operation.get("phase") != "Succeeded" and (message := _text(operation.get("message"))):
        yield message[:_LONGEST]
    for condition in sequence(status.get("conditions")):
        if message := _text(mapping(condition).get("message")):
            yield message[:_LONGEST]
    for resource in _resources(status):
        health = mapping(resource.get("health"))
        if health.get("status") == "Degraded" and (message := _text(health.get("message"))):
            yield f"{resource.get('kind')}/{resource.get('name')}: {message[:_LONGEST]}"


def _unwell(status: Mapping[str, Any]) -> Iterator[ObjectId]:
    """Argo CD 3 keeps the health of an object where the API server does not show it: all may be unwell then."""
    for resource in _resources(status):
        if mapping(resource.get("health")).get("status") != "Healthy":
            yield _id(resource)


def _refused(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What the last operation could not apply; where Argo CD cannot compare, which it says of the first object alone, all that
    is not known to be synced.
    """
    conditions = (mapping(condition).get("message") for condition in sequence(status.get("conditions")))
    if any(_text(message).startswith(_NO_COMPARISON) for message in conditions):
        yield from (resource for resource in _resources(status) if resource.get("status") != "Synced")
    result = mapping(mapping(status.get("operationState")).get("syncResult"))
    yield from (one for one in map(mapping, sequence(result.get("resources"))) if one.get("status") == "SyncFailed")


def _id(resource: Mapping[str, Any]) -> ObjectId:
    """The object of an entry of the status."""
    return ObjectId(
        group=_text(resource.get("group")),
        kind=_text(resource.get("kind")),
        namespace=_text(resource.get("namespace")),
        name=_text(resource.get("name")),
    )


def _progress(status: Mapping[str, Any]) -> int:
    """The steps that its objects have behind them (Argo CD, ``types.go``, "ResourceStatus", "SyncOperationResult")."""
    result = mapping(mapping(status.get("operationState")).get("syncResult"))
    applied = sum(mapping(one).get("status") == "Synced" for one in sequence(result.get("resources")))
    synced = sum(resource.get("status") == "Synced" for resource in _resources(status))
    healthy = sum(mapping(resource.get("health")).get("status") == "Healthy" for resource in _resources(status))
    return int(applied) + int(synced) + int(healthy)


def _resources(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (resource for resource in sequence(status.get("resources")) if isinstance(resource, Mapping))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
