"""A cluster in memory, for tests of what is delivered to one: `FakeCluster` is a `Cluster` of `ports.cluster`.

It serves the built-in kinds of a Kubernetes version and those of the CRDs that it holds, merges what is applied, and keeps
``managedFields``, ``generation``, ``resourceVersion``, ``uid``, finalizers and owners as the API server and its garbage
collector do. No controller runs: a test says what happens after a change (``on_change``; `fake_controllers` has those of a
healthy cluster), what is refused (``before``), and what time does to a watch (``wait``).
"""

from __future__ import annotations

import copy
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests import fake_kinds, fake_patches, fake_selectors, field_ownership
from tests.field_ownership import Owners, Tree

from cluster_forge.foundation.errors import ForgeError, RefusalCause, RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import (
    Applied,
    ApplyOptions,
    Change,
    ClusterFacts,
    Deleted,
    Event,
    Kept,
    Listing,
    Patch,
    Propagation,
    Query,
    ServedKind,
    ServedKinds,
)

_STARTING_NAMESPACES: Final = ("default", "kube-node-lease", "kube-public", "kube-system")


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRequest:
    """A call, as ``before`` sees it: ``verb`` as in RBAC (``apply`` for server-side apply), the kind and what is concerned."""

    verb: str
    target: ObjectId
    body: Body | None = None
    is_trial: bool = False


@dataclass(slots=True, kw_only=True)
class _Stored:
    body: Tree
    owners: Owners = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An event, with the version at which it happened."""

    version: int
    event: Event


class FakeCluster:
    """``on_change(cluster, body)`` is called after each change of an object; ``before(request)`` before each call, and raises
    what the cluster answers; ``wait(seconds)`` when a watch has no more to say (with a fake clock: ``clock.sleep``).
    ``denied`` holds ``(verb, kind, namespace)`` that `can` answers with no (``*`` for any).
    """

    def __init__(
        self,
        *,
        minor: int = 33,
        on_change: Callable[[FakeCluster, Body], object] = lambda _cluster, _body: None,
        before: Callable[[FakeRequest], object] = lambda _request: None,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.minor = minor
        self.on_change = on_change
        self.before = before
        self.wait = wait or self._wait
        self.requests: list[FakeRequest] = []
        self.denied: set[tuple[str, str, str]] = set()
        self.answers: dict[str, bytes | ForgeError] = {"/readyz": b"ok", "/healthz": b"ok", "/livez": b"ok"}
        self.container_logs: dict[tuple[str, str, str, bool], str] = {}
        """By namespace, Pod, container and whether it is the one before."""
        self.stale: frozenset[str] = frozenset()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._objects: dict[ObjectId, _Stored] = {}
        self._events: list[_Entry] = []
        self._version = 1
        self._uids = 0
        self._forgotten = 0
        self.put(*map(_namespace, _STARTING_NAMESPACES))

    # Looking

    def about(self) -> ClusterFacts:
        return ClusterFacts(
            context="fake", server="https://fake.example.com:6443", user="tester", version=f"v1.{self.minor}.0"
        )

    def served(self, *, is_fresh: bool = False) -> ServedKinds:
        del is_fresh
        with self._lock:
            return ServedKinds((*fake_kinds.built_in(self.minor), *self._custom_kinds()), self.stale)

    def get(self, target: ObjectId, version: str = "") -> Body | None:
        with self._lock:
            self._note("get", target)
            kind = self.served().find(target.group, target.kind, version)
            stored = self._objects.get(target)
            return _shown(stored.body, kind) if kind and stored else None

    def list(self, query: Query) -> Listing:
        with self._lock:
            self._note("list", _target(query))
            kind = self.served().find(query.group, query.kind, query.version)
            bodies = [stored.body for key, stored in sorted(self._objects.items()) if _is_of(query, key, stored.body)]
            items = tuple(_seen(body, kind, query) for body in bodies) if kind else ()
            return Listing(items=items, version=str(self._version))

    def each(self, query: Query, keep: Callable[[Body], Kept]) -> tuple[Kept, ...]:
        return tuple(map(keep, self.list(query).items))

    def watch(self, query: Query, since: str, seconds: float) -> Iterator[Event]:
        with self._lock:
            self._note("watch", _target(query))
        at, end, waited = int(since), time.monotonic() + seconds, False
        while True:
            with self._lock:
                if at < self._forgotten:
                    raise RefusedError("the events since then are gone", status=410, reason="Expired")
                kind = self.served().find(query.group, query.kind, query.version)
                entries = [entry for entry in self._events if entry.version > at]
                at = self._version
            for entry in entries:
                if kind and _is_of(query, ObjectId.of(entry.event.body), entry.event.body):
                    yield Event(change=entry.event.change, body=_seen(entry.event.body, kind, query))
            left = end - time.monotonic()
            if not entries and (waited or left <= 0):
                return
            if not entries:
                self.wait(left)
                waited = self.wait != self._wait

    # Changing

    def apply(self, body: Body, options: ApplyOptions) -> Applied:
        with self._lock:
            body = self._placed(body)
            target = self._admitted("apply", body, is_trial=options.is_trial)
            self._note("apply", target, body, is_trial=options.is_trial)
            self._check_namespace(target)
            live = self._objects.get(target)
            intent = self._without_status(body)
            before = live.body if live else {}
            owners: Owners = {key: set(fields) for key, fields in live.owners.items()} if live else {}
            disputed = field_ownership.disputed(owners, before, intent, options.manager)
            if disputed and not options.force:
                raise _conflict(target, disputed, str(body["apiVersion"]))
            for key, fields in disputed.items():
                owners[key] -= fields
            mine = (options.manager, "Apply", "")
            new = set(field_ownership.leaves(intent))
            others = set().union(*(fields for key, fields in owners.items() if key != mine))
            dropped = {path for path in owners.get(mine, set()) - new if path not in others}
            owners[mine] = new
            after = field_ownership.merged(field_ownership.without(before, dropped), intent)
            if options.is_trial:
                return Applied(body=_shown(self._completed(after, owners, live), None), is_new=live is None)
            stored = self._stored(after, owners)
            return Applied(body=_partial(stored) if options.metadata_only else stored, is_new=live is None)

    def create(self, body: Body) -> Body:
        with self._lock:
            body = self._placed(body)
            target = self._admitted("create", body)
            self._note("create", target, body)
            self._check_namespace(target)
            if target in self._objects:
                raise _refusal(target, 409, "AlreadyExists", f"{_name(target)} already exists")
            intent = self._without_status(body)
            return self._stored(intent, {("unknown", "Update", ""): set(field_ownership.leaves(intent))})

    def replace(self, body: Body, subresource: str = "") -> Body:
        with self._lock:
            body = self._placed(body)
            target = self._admitted("update", body)
            self._note("update", target, body)
            return self._update(target, body, "unknown", subresource)

    def patch(self, target: ObjectId, patch: object, kind: Patch, *, manager: str, subresource: str = "") -> Body:
        with self._lock:
            self._note("patch", target, patch if isinstance(patch, Mapping) else None)
            live = self._found(target)
            try:
                after = (fake_patches.merged if kind is Patch.MERGE else fake_patches.operated)(live, patch)
            except ValueError as error:
                raise _refusal(target, 422, "Invalid", str(error)) from error
            return self._update(target, after, manager, subresource)

    def delete(self, target: ObjectId, propagation: Propagation = Propagation.BACKGROUND, uid: str = "") -> Deleted:
        with self._lock:
            self._note("delete", target)
            stored = self._objects.get(target)
            if stored is None or self.served().find(target.group, target.kind) is None:
                return Deleted.ABSENT
            if uid and stored.body["metadata"]["uid"] != uid:
                message = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored.body['metadata']['uid']}"
                raise _refusal(target, 409, "Conflict", message)
            self._begin_deletion(target, propagation)
            return Deleted.GOING if target in self._objects else Deleted.GONE

    # Questions

    def logs(self, namespace: str, pod: str, container: str = "", *, lines: int = 20, previous: bool = False) -> str:
        with self._lock:
            self._note("get", ObjectId(group="", kind="Pod", namespace=namespace, name=pod))
            text = self.container_logs.get((namespace, pod, container, previous), "")
            return "".join(text.splitlines(keepends=True)[-lines:])

    def can(self, verb: str, kind: ServedKind, namespace: str = "") -> bool:
        asked = (verb, kind.kind, namespace or "*")
        return not any(
            all("*" in pair or len({*pair}) == 1 for pair in zip(rule, asked, strict=True)) for rule in self.denied
        )

    def raw(self, path: str) -> bytes:
        answer = self.answers.get(path)
        if isinstance(answer, ForgeError):
            raise answer
        if answer is None:
            raise RefusedError(f"{path}: not found", status=404, reason="NotFound")
        return answer

    def sent(self) -> Mapping[str, int]:
        return Counter(request.verb for request in self.requests)

    # For tests

    def objects(self) -> Mapping[ObjectId, Body]:
        """Everything that is there."""
        with self._lock:
            return {key: copy.deepcopy(stored.body) for key, stored in sorted(self._objects.items())}

    def put(self, *bodies: Body, manager: str = "somebody-else") -> None:
        """Objects that were there before, of another manager, as they are (with their status)."""
        with self._lock:
            for body in bodies:
                self._store(body, {(manager, "Update", ""): set(field_ownership.leaves(body))})

    def set_status(self, target: ObjectId, status: Mapping[str, Any]) -> None:
        """What a controller does: replace the status of an object, if it is there still and has one."""
        with self._lock:
            stored = self._objects.get(target)
            if stored and self._has_status(target):
                owners: Owners = {**stored.owners, ("controller", "Update", "status"): {("f:status",)}}
                self._stored({**stored.body, "status": copy.deepcopy(dict(status))}, owners)

    def forget_events(self) -> None:
        """From now on watches since before are refused with 410."""
        with self._lock:
            self._forgotten = self._version
            self._events.clear()

    def _wait(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait(min(seconds, 0.2))

    def _note(self, verb: str, target: ObjectId, body: Body | None = None, *, is_trial: bool = False) -> None:
        request = FakeRequest(verb=verb, target=target, body=body, is_trial=is_trial)
        self.requests.append(request)
        self.before(request)

    # Kinds

    def _custom_kinds(self) -> Iterator[ServedKind]:
        for key, stored in sorted(self._objects.items()):
            if key.kind == "CustomResourceDefinition":
                yield from fake_kinds.defined(stored.body)

    def _placed(self, body: Body) -> Body:
        """Without the namespace of a cluster-scoped object, which the API server drops."""
        target = ObjectId.of(body)
        kind = self.served().find(target.group, target.kind, str(body["apiVersion"]).rpartition("/")[2])
        if kind is None or kind.is_namespaced or not target.namespace:
            return body
        return {**body, "metadata": _without(body["metadata"], "namespace")}

    def _admitted(self, verb: str, body: Body, *, is_trial: bool = False) -> ObjectId:
        """The identity of an object whose kind is served in the version that it names."""
        target = ObjectId.of(body)
        kind = self.served().find(target.group, target.kind, str(body["apiVersion"]).rpartition("/")[2])
        if kind is None:
            self._note(verb, target, body, is_trial=is_trial)
            raise _refusal(target, 404, "NotFound", f"the server has no kind {target.kind} in {body['apiVersion']}")
        if kind.is_namespaced != bool(target.namespace):
            raise _refusal(
                target, 400, "BadRequest", f"{target.kind} is {'' if kind.is_namespaced else 'not '}namespaced"
            )
        return target

    def _check_namespace(self, target: ObjectId) -> None:
        if not target.namespace:
            return
        stored = self._objects.get(_namespace_id(target.namespace))
        if stored is None:
            raise _refusal(target, 404, "NotFound", f'namespaces "{target.namespace}" not found')
        if "deletionTimestamp" in stored.body["metadata"] and target not in self._objects:
            message = (
                f"{_name(target)} is forbidden: unable to create new content in namespace {target.namespace} "
                "because it is being terminated"
            )
            cause = RefusalCause(
                reason="NamespaceTerminating",
                message=f"namespace {target.namespace} is being terminated",
                field="metadata.namespace",
            )
            raise _refusal(target, 403, "Forbidden", message, (cause,))

    def _has_status(self, target: ObjectId) -> bool:
        kind = self.served().find(target.group, target.kind)
        return kind is not None and "status" in kind.subresources

    def _without_status(self, body: Body) -> Tree:
        target = ObjectId.of(body)
        return {
            key: copy.deepcopy(value) for key, value in body.items() if key != "status" or not self._has_status(target)
        }

    # Storing

    def _found(self, target: ObjectId) -> Tree:
        stored = self._objects.get(target)
        if stored is None:
            raise _refusal(target, 404, "NotFound", f"{_name(target)} not found")
        return copy.deepcopy(stored.body)

    def _update(self, target: ObjectId, wanted: Body, manager: str, subresource: str) -> Body:
        live = self._found(target)
        version = wanted["metadata"].get("resourceVersion")
        if version and version != live["metadata"]["resourceVersion"]:
            message = (
                f"Operation cannot be fulfilled on {_name(target)}: the object has been modified; "
                "please apply your changes to the latest version and try again"
            )
            raise _refusal(target, 409, "Conflict", message)
        if subresource == "status":
            after = {**live, "status": copy.deepcopy(wanted.get("status", {}))}
        else:
            after = self._without_status(wanted)
            if self._has_status(target) and "status" in live:
                after["status"] = live["status"]
        owners = _after_update(self._objects[target].owners, live, after, (manager, "Update", subresource))
        return self._stored(after, owners)

    def _completed(self, body: Body, owners: Owners, live: _Stored | None) -> Tree:
        """The object with the metadata that the server keeps."""
        target, before = ObjectId.of(body), live.body["metadata"] if live else {}
        metadata = {key: value for key, value in body["metadata"].items() if key not in ("managedFields", "uid")}
        metadata["uid"] = before.get("uid") or f"00000000-0000-4000-8000-{self._uids + 1:012d}"
        metadata["creationTimestamp"] = before.get("creationTimestamp") or "2026-01-01T00:00:00Z"
        for kept in ("deletionTimestamp", "resourceVersion", "generation"):
            metadata.pop(kept, None)
            if kept in before:
                metadata[kept] = before[kept]
        if _has_generation(target, body):
            is_changed = not live or _without(body, "metadata", "status") != _without(live.body, "metadata", "status")
            metadata["generation"] = before.get("generation", 0) + is_changed
        managed = field_ownership.dumped(owners, str(body["apiVersion"]))
        return {**body, "metadata": {**metadata, **({"managedFields": managed} if managed else {})}}

    def _store(self, body: Body, owners: Owners) -> Tree:
        """Keep an object; nothing happens if it is as before."""
        target = ObjectId.of(body)
        live = self._objects.get(target)
        after = self._completed(copy.deepcopy(dict(body)), owners, live)
        if target == _namespace_id(target.name):
            after.setdefault("status", {"phase": "Active"})
        if target.kind == "CustomResourceDefinition":
            after.setdefault("status", _established(after))
        if live and after == live.body:
            return live.body
        _check_size(target, after)
        self._uids += live is None
        self._version += 1
        after["metadata"]["resourceVersion"] = str(self._version)
        self._objects[target] = _Stored(body=after, owners=owners)
        self._tell(Change.MODIFIED if live else Change.ADDED, after)
        return after

    def _stored(self, body: Body, owners: Owners) -> Body:
        """Keep an object, let the test's controllers see it, and remove it if it only waited for its finalizers."""
        target, version = ObjectId.of(body), self._version
        after = self._store(body, owners)
        if "deletionTimestamp" in after["metadata"] and not after["metadata"].get("finalizers"):
            self._end(target)
        elif self._version != version:
            self.on_change(self, copy.deepcopy(after))
        return _shown(after, None)

    def _tell(self, change: Change, body: Tree) -> None:
        event = Event(change=change, body=copy.deepcopy(body))
        self._events.append(_Entry(version=self._version, event=event))
        self._changed.notify_all()

    # Removing

    def _begin_deletion(self, target: ObjectId, propagation: Propagation) -> None:
        body, owners = self._objects[target].body, self._objects[target].owners
        dependents = self._dependents(body["metadata"]["uid"])
        if propagation is Propagation.ORPHAN:
            for dependent in dependents:
                kept = copy.deepcopy(self._objects[dependent].body)
                kept["metadata"].pop("ownerReferences")
                self._store(kept, self._objects[dependent].owners)
        elif propagation is Propagation.FOREGROUND:
            for dependent in dependents:
                self._begin_deletion(dependent, propagation)
        content = self._content(target)
        if body["metadata"].get("finalizers") or content:
            if "deletionTimestamp" not in body["metadata"]:
                body["metadata"]["deletionTimestamp"] = "2026-01-01T00:01:00Z"
                gone = {**body, "metadata": {**body["metadata"], "deletionGracePeriodSeconds": 0}}
                if target.kind == "Namespace":
                    gone["status"] = {"phase": "Terminating"}
                self._stored(gone, owners)
            for inner in content:
                if inner in self._objects:
                    self._begin_deletion(inner, Propagation.BACKGROUND)
        else:
            self._end(target)

    def _end(self, target: ObjectId) -> None:
        """Take an object away that no finalizer holds, then what depended on it, and a container that waited for it."""
        if self._content(target):
            return
        removed = self._objects.pop(target).body
        self._version += 1
        self._tell(
            Change.DELETED, {**removed, "metadata": {**removed["metadata"], "resourceVersion": str(self._version)}}
        )
        self.on_change(self, copy.deepcopy(removed))
        for dependent in self._dependents(removed["metadata"]["uid"]):
            self._begin_deletion(dependent, Propagation.BACKGROUND)
        for container in [key for key in self._objects if target in self._content_kinds(key, target)]:
            metadata = self._objects[container].body["metadata"]
            if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
                self._end(container)

    def _dependents(self, uid: str) -> Sequence[ObjectId]:
        return [
            key
            for key, stored in sorted(self._objects.items())
            if any(owner["uid"] == uid for owner in stored.body["metadata"].get("ownerReferences", ()))
        ]

    def _content(self, target: ObjectId) -> Sequence[ObjectId]:
        """What goes with a Namespace, or with a CRD."""
        return [key for key in sorted(self._objects) if self._content_kinds(target, key)]

    def _content_kinds(self, container: ObjectId, inner: ObjectId) -> tuple[ObjectId, ...]:
        """``inner``, if it goes with ``container``."""
        is_inside = container == _namespace_id(inner.namespace)
        if container.kind == "CustomResourceDefinition" and container in self._objects:
            spec = self._objects[container].body["spec"]
            is_inside = (spec["group"], spec["names"]["kind"]) == (inner.group, inner.kind)
        return (inner,) if is_inside else ()


def _namespace(name: str) -> Tree:
    labels = {"kubernetes.io/metadata.name": name}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _namespace_id(name: str) -> ObjectId:
    return ObjectId(group="", kind="Namespace", namespace="", name=name)


def _target(query: Query) -> ObjectId:
    return ObjectId(group=query.group, kind=query.kind, namespace=query.namespace, name="")


def _established(crd: Body) -> Tree:
    stored = [version["name"] for version in crd["spec"]["versions"] if version.get("storage")]
    conditions = [{"type": kind, "status": "True"} for kind in ("NamesAccepted", "Established")]
    return {"conditions": conditions, "acceptedNames": crd["spec"]["names"], "storedVersions": stored}


def _has_generation(target: ObjectId, body: Body) -> bool:
    return bool(target.group) and "spec" in body


def _without(body: Body, *keys: str) -> Tree:
    return {key: value for key, value in body.items() if key not in keys}


def _shown(body: Body, kind: ServedKind | None) -> Body:
    return copy.deepcopy({**body, **({"apiVersion": kind.api_version} if kind else {})})


def _seen(body: Body, kind: ServedKind | None, query: Query) -> Body:
    if not query.metadata_only:
        return _shown(body, kind)
    return _partial(body)


def _partial(body: Body) -> Body:
    metadata = copy.deepcopy(body["metadata"])
    return {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": metadata}


def _is_of(query: Query, target: ObjectId, body: Body) -> bool:
    return (
        (target.group, target.kind) == (query.group, query.kind)
        and query.namespace in ("", target.namespace)
        and fake_selectors.matches(query.labels, body["metadata"].get("labels") or {})
        and all(fake_selectors.has_field(body, term) for term in query.fields.split(",") if term)
    )


def _after_update(owners: Owners, before: Body, after: Body, key: tuple[str, str, str]) -> Owners:
    """Who owns what after an update: the manager what it changed, nobody what is not there any more."""
    old, new = field_ownership.leaves(before), field_ownership.leaves(after)
    changed = {path for path, value in new.items() if old.get(path, None) != value or path not in old}
    kept = {
        other: {path for path in fields if path in new or path == ("f:status",)} - changed
        for other, fields in owners.items()
    }
    return {**kept, key: kept.get(key, set()) | changed}


def _name(target: ObjectId) -> str:
    """As the API server names an object: ``deployments.apps "web"``."""
    return f'{fake_kinds.plural(target.kind)}{f".{target.group}" if target.group else ""} "{target.name}"'


def _check_size(target: ObjectId, body: Body) -> None:
    """Refuse what is larger than an API server takes (Kubernetes, ``core/validation``, ``MaxSecretSize``; etcd, ``--max-request-bytes``)."""
    data = body.get("data") if target.kind in ("Secret", "ConfigMap") else None
    if data and sum(len(value) * (3 if target.kind == "Secret" else 4) // 4 for value in data.values()) > 1 << 20:
        raise _refusal(
            target, 422, "Invalid", f"{_name(target)} is invalid: data: Too long: may not be more than 1048576 bytes"
        )
    if len(json.dumps(body)) > 3 << 19:
        raise _refusal(target, 500, "", "etcdserver: request is too large")


def hiding(kind: str) -> Callable[[FakeRequest], None]:
    """For ``before``: the user may not see the objects of a kind."""

    def refuse(request: FakeRequest) -> None:
        if request.target.kind == kind:
            raise _refusal(request.target, 403, "Forbidden", f"{kind.lower()}s is forbidden")

    return refuse


def _refusal(
    target: ObjectId, status: int, reason: str, message: str, causes: tuple[RefusalCause, ...] = ()
) -> RefusedError:
    return RefusedError(message, where=str(target), status=status, reason=reason, causes=causes)


def _conflict(target: ObjectId, disputed: Owners, api_version: str) -> RefusedError:
    causes = tuple(
        RefusalCause(
            reason="FieldManagerConflict",
            message=f'conflict with "{manager}" using {api_version}',
            field=field_ownership.shown(path),
        )
        for (manager, _, _), fields in sorted(disputed.items())
        for path in sorted(fields)
    )
    many = f"{len(causes)} conflict{'s' if len(causes) > 1 else ''}"
    fields = ", ".join(f"{cause.message}: {cause.field}" for cause in causes)
    return _refusal(target, 409, "Conflict", f"Apply failed with {many}: {fields}", causes)
