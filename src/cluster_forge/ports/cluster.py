"""A Kubernetes cluster: what it serves and holds, and changing it, over its API server.

Objects are addressed by `ObjectId`; the version is the one that the caller names, else the one that the server prefers.
Every call may be made from several threads. What every call raises:

- `ClusterError`: the server cannot be reached, answers with nonsense, or does not know the user; retried before
  (429 and 503 with ``Retry-After``, connections that end).
- `RefusedError`: the server refuses this request; it has the HTTP status, the reason and the causes.

Sources: Kubernetes, "API Concepts", "Server-Side Apply"; KEP-3352 (aggregated discovery), KEP-555 (server-side apply).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body

Kept = TypeVar("Kept")
_MINOR: Final = re.compile(r"v?1\.(\d{1,4})(?:\D|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """Which cluster it is: for messages, and for what depends on the version.

    ``context`` is empty where no kubeconfig names one; ``version`` is the server's ``gitVersion`` (``v1.33.4+k3s1``).
    """

    context: str
    server: str
    user: str
    version: str

    @property
    def minor(self) -> int | None:
        """The minor version: 33; None where the server's version has none."""
        match = _MINOR.match(self.version)
        return int(match[1]) if match else None

    def __str__(self) -> str:
        """For messages: ``the cluster of context 'kind-kind' (https://127.0.0.1:6443)``."""
        return f"the cluster of context {self.context!r} ({self.server})" if self.context else f"{self.server}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedKind:
    """A kind as the server serves it: ``deployments`` of ``apps/v1``. ``subresources``: ``status``, ``scale``."""

    group: str
    version: str
    kind: str
    plural: str
    is_namespaced: bool
    is_preferred: bool
    verbs: frozenset[str] = frozenset()
    subresources: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


@dataclass(frozen=True, slots=True)
class ServedKinds:
    """Everything that a server serves; ``stale`` are the groups of aggregated APIs that do not answer."""

    kinds: tuple[ServedKind, ...]
    stale: frozenset[str] = frozenset()
    _by_name: Mapping[tuple[str, str, str], ServedKind] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name: dict[tuple[str, str, str], ServedKind] = {}
        for kind in self.kinds:
            by_name[kind.group, kind.version, kind.kind] = kind
            if kind.is_preferred:
                by_name[kind.group, "", kind.kind] = kind
            else:
                by_name.setdefault((kind.group, "", kind.kind), kind)
        object.__setattr__(self, "_by_name", by_name)

    def find(self, group: str, kind: str, version: str = "") -> ServedKind | None:
        """The kind in that version, or in the one that the server prefers; None if it is not served."""
        return self._by_name.get((group, version, kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Objects of one kind; ``version`` is the ``resourceVersion`` from which to `watch`."""

    items: tuple[Body, ...]
    version: str


class Change(StrEnum):
    """What a watch reports of an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A change of one object, and the object after it (for a deletion: before)."""

    change: Change
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Objects of a kind: of one namespace or (empty) all, with these labels and fields (as kubectl's ``-l`` and
    ``--field-selector``). ``metadata_only``: objects without spec and status (``PartialObjectMetadata``), which is cheaper.
    """

    group: str
    kind: str
    version: str = ""
    namespace: str = ""
    labels: str = ""
    fields: str = ""
    metadata_only: bool = False

    def id_of(self, item: Body) -> ObjectId:
        """The identity of an object of the listing, which says group and kind once for all of them."""
        metadata = item["metadata"]
        return ObjectId(
            group=self.group, kind=self.kind, namespace=metadata.get("namespace") or "", name=metadata["name"]
        )


class Validation(StrEnum):
    """What the server does with fields that the kind does not have."""

    STRICT = "Strict"
    WARN = "Warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """How an object is applied. ``force`` takes fields of other managers over; ``is_trial`` stores nothing (dry run).
    ``metadata_only``: the answer is the object without spec and status (``PartialObjectMetadata``): a CRD has 2 MB.
    """

    manager: str
    force: bool = False
    is_trial: bool = False
    metadata_only: bool = False
    validation: Validation = Validation.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The object as the server has it now (with ``managedFields``), and the server's warnings."""

    body: Body
    warnings: tuple[str, ...] = ()
    is_new: bool = False


class Patch(StrEnum):
    """The kind of a patch, as its media type."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"


class Deleted(StrEnum):
    """What became of an object that was to be deleted."""

    ABSENT = "absent"
    """It was not there."""
    GONE = "gone"
    GOING = "going"
    """It may stay until its finalizers have ended."""


class Propagation(StrEnum):
    """What happens to the dependents of a deleted object."""

    BACKGROUND = "Background"
    FOREGROUND = "Foreground"
    ORPHAN = "Orphan"


class ClusterReader(Protocol):
    """Looks at a cluster."""

    def about(self) -> ClusterFacts:
        """Which cluster it is; asked once."""

    def served(self, *, is_fresh: bool = False) -> ServedKinds:
        """What the server serves: as asked before, unless ``is_fresh``. A request for a kind that is not in it asks again."""

    def get(self, target: ObjectId, version: str = "") -> Body | None:
        """The object; None if it is not there, or its kind is not served."""

    def list(self, query: Query) -> Listing:
        """The objects, in pages; none if the kind is not served."""

    def watch(self, query: Query, since: str, seconds: float) -> Iterator[Event]:
        """Changes after ``since`` (of a `Listing`), for at most so many seconds; a watch that is cut is taken up again.

        Raises:
            RefusedError: with status 410 if ``since`` is too old: list again.
        """


class ClusterWriter(Protocol):
    """Changes a cluster."""

    def apply(self, body: Body, options: ApplyOptions) -> Applied:
        """Server-side apply of an object, which has its namespace."""

    def create(self, body: Body) -> Body:
        """Create an object; status 409 if it is there already."""

    def replace(self, body: Body, subresource: str = "") -> Body:
        """Replace an object; with ``metadata.resourceVersion`` only that version of it (status 409 else)."""

    def patch(self, target: ObjectId, patch: object, kind: Patch, *, manager: str, subresource: str = "") -> Body:
        """Patch an object."""

    def delete(self, target: ObjectId, propagation: Propagation = Propagation.BACKGROUND, uid: str = "") -> Deleted:
        """Delete an object (with ``uid`` only that one)."""


class ClusterQuestions(Protocol):
    """What is asked of a cluster beside its objects."""

    def logs(self, namespace: str, pod: str, container: str = "", *, lines: int = 20, previous: bool = False) -> str:
        """The last lines of a container's log; empty where there are none."""

    def each(self, query: Query, keep: Callable[[Body], Kept]) -> tuple[Kept, ...]:
        """What ``keep`` makes of each object of a kind that may have very many: only one page of them is held at a time."""

    def can(self, verb: str, kind: ServedKind, namespace: str = "") -> bool:
        """Whether the user may do this (SelfSubjectRulesReview of the namespace, SelfSubjectAccessReview elsewhere)."""

    def raw(self, path: str) -> bytes:
        """The answer to a ``GET`` of a path of the API server, such as ``/readyz`` or a Service's through its proxy."""

    def sent(self) -> Mapping[str, int]:
        """How many requests were sent so far, by method, those that begin a watch as ``WATCH``."""


class Cluster(ClusterReader, ClusterWriter, ClusterQuestions, Protocol):
    """A cluster, with everything that a delivery does there."""
