"""A cluster over its API server: the `Cluster` of `ports.cluster`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

import orjson

from cluster_forge.adapters.kubernetes import listing, objects, paths, refusals
from cluster_forge.adapters.kubernetes.answers import JSON, METADATA, Answer, Request
from cluster_forge.adapters.kubernetes.discovery import Discovery
from cluster_forge.adapters.kubernetes.permissions import Permissions
from cluster_forge.adapters.kubernetes.transport import Transport
from cluster_forge.foundation import json_codec
from cluster_forge.foundation.errors import RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import (
    Applied,
    ApplyOptions,
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

_APPLY: Final = "application/apply-patch+yaml"
"""JSON is YAML, so servers from before 1.32 read it, too; later ones have ``application/apply-patch+cbor`` beside it."""
_REVIEW: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_MANAGER: Final = "cluster-forge"
_LARGEST_LOG: Final = 1 << 20
_NO_LOG: Final = frozenset({400, 404, 500, 502, 503, 504})
"""A container that has not started, or a node that does not answer."""


class ApiServer:
    """A cluster as its API server shows it. Safe for several threads."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._discovery = Discovery(transport)
        self._permissions = Permissions(self._review)
        self._lock = threading.Lock()
        self._facts: ClusterFacts | None = None

    # Looking

    def about(self) -> ClusterFacts:
        with self._lock:
            if self._facts is None:
                access = self.transport.access
                version = self._tree(self.transport.send(Request(method="GET", path="/version", where="/version")))
                self._facts = ClusterFacts(
                    context=access.context,
                    server=access.cluster.server,
                    user=self._user() or access.user.name,
                    version=str(version.get("gitVersion") or ""),
                )
            return self._facts

    def served(self, *, is_fresh: bool = False) -> ServedKinds:
        return self._discovery.served(is_fresh=is_fresh)

    def get(self, target: ObjectId, version: str = "") -> Body | None:
        kind = self._discovery.find(target.group, target.kind, version)
        return self._tree_or_none("GET", kind, target) if kind else None

    def list(self, query: Query) -> Listing:
        items, version = self._kept(query, lambda body: body)
        return Listing(items=items, version=version)

    def watch(self, query: Query, since: str, seconds: float) -> Iterator[Event]:
        kind = self._discovery.find(query.group, query.kind, query.version)
        return listing.watched(self.transport, kind, query, since, seconds) if kind else iter(())

    # Changing

    def apply(self, body: Body, options: ApplyOptions) -> Applied:
        target, kind = self._place(body)
        query = {
            "fieldManager": options.manager,
            "force": "true" if options.force else "",
            "dryRun": "All" if options.is_trial else "",
            "fieldValidation": str(options.validation),
        }
        request = Request(
            method="PATCH",
            path=paths.of_object(kind, target.namespace, target.name),
            where=str(target),
            query=query,
            body=json_codec.dump(body),
            content_type=_APPLY,
            accept=f"{METADATA},{JSON}" if options.metadata_only else JSON,
        )
        answer = self._sent(request, body)
        applied = self._object(answer, target)
        if not options.is_trial:
            self._learn({**applied, **body, "metadata": applied["metadata"]})
        return Applied(body=applied, warnings=answer.warnings, is_new=answer.status == HTTPStatus.CREATED)

    def create(self, body: Body) -> Body:
        target, kind = self._place(body)
        path = paths.of_kind(kind, target.namespace)
        request = _change("POST", path, target, body)
        return self._changed(replace(request, repeats=False), target, body)

    def replace(self, body: Body, subresource: str = "") -> Body:
        target, kind = self._place(body)
        path = paths.of_object(kind, target.namespace, target.name, subresource)
        is_checked = "resourceVersion" in body["metadata"]  # the second time it would be another version's
        request = _change("PUT", path, target, body)
        return self._changed(replace(request, repeats=not is_checked), target, body)

    def patch(self, target: ObjectId, patch: object, kind: Patch, *, manager: str, subresource: str = "") -> Body:
        path = paths.of_object(self._kind(target), target.namespace, target.name, subresource)
        request = _change("PATCH", path, target, patch, manager)
        return self._changed(replace(request, content_type=kind, repeats=kind is Patch.MERGE), target, patch)

    def delete(self, target: ObjectId, propagation: Propagation = Propagation.BACKGROUND, uid: str = "") -> Deleted:
        kind = self._discovery.find(target.group, target.kind)
        if kind is None:
            return Deleted.ABSENT
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        answer = self._tree_or_none("DELETE", kind, target, orjson.dumps(options))
        if answer is None:
            return Deleted.ABSENT
        return Deleted.GONE if answer.get("kind") == "Status" else Deleted.GOING

    # Questions

    def logs(self, namespace: str, pod: str, container: str = "", *, lines: int = 20, previous: bool = False) -> str:
        target = ObjectId(group="", kind="Pod", namespace=namespace, name=pod)
        query = {
            "container": container,
            "tailLines": str(lines),
            "limitBytes": str(_LARGEST_LOG),
            "previous": "true" if previous else "",
        }
        path = paths.of_object(self._kind(target), namespace, pod, "log")
        answer = self.transport.ask(
            Request(method="GET", path=path, where=str(target), query=query, accept="*/*", waits=False)
        )
        if answer.status in _NO_LOG:
            return ""
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise refusals.of(answer, self.transport.access, str(target))
        return answer.body.decode("utf-8", "replace")

    def each(self, query: Query, keep: Callable[[Body], Kept]) -> tuple[Kept, ...]:
        return self._kept(query, keep)[0]

    def can(self, verb: str, kind: ServedKind, namespace: str = "") -> bool:
        with self._kubernetes():
            return self._permissions.can(verb, kind, namespace)

    def raw(self, path: str) -> bytes:
        return self.transport.send(Request(method="GET", path=path, where=path, accept="*/*")).body

    def sent(self) -> Mapping[str, int]:
        return dict(sorted(self.transport.counts.items()))

    # Requests

    def _kept(self, query: Query, keep: Callable[[Body], Kept]) -> tuple[tuple[Kept, ...], str]:
        """What is made of each object, and the version of the list; nothing of a kind that is not served."""
        kind = self._discovery.find(query.group, query.kind, query.version)
        if kind is None:
            return (), ""
        try:
            return listing.kept(self.transport, kind, query, keep)
        except RefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND:  # its CRD is going: discovery lists it for a while
                raise
            return (), ""

    def _place(self, body: Body) -> tuple[ObjectId, ServedKind]:
        """The object as the server will have it, and its kind: a cluster-scoped one loses the namespace that a chart wrote.

        Raises:
            RefusedError: if the kind is not served.
        """
        target = ObjectId.of(body)
        kind = self._kind(target, str(body["apiVersion"]))
        return (target if kind.is_namespaced else replace(target, namespace="")), kind

    def _kind(self, target: ObjectId, api_version: str = "") -> ServedKind:
        """The kind of an object, in the version that is named.

        Raises:
            RefusedError: if it is not served.
        """
        kind = self._discovery.find(target.group, target.kind, api_version.rpartition("/")[2])
        if kind is None:
            raise RefusedError(
                f"the server has no kind {target.kind} in {api_version or target.group}",
                where=str(target),
                fix="check that its CRD is in the cluster, and serves this version",
                status=HTTPStatus.NOT_FOUND,
                reason="NotFound",
            )
        return kind

    def _changed(self, request: Request, target: ObjectId, content: object) -> Body:
        """The object after the change."""
        changed = self._object(self._sent(request, content), target)
        self._learn(changed)
        return changed

    def _sent(self, request: Request, content: object) -> Answer:
        """The answer to what was sent.

        Raises:
            ClusterError, RefusedError: as `Transport.send`, without the values of Secrets, which a webhook may quote.
        """
        try:
            return self.transport.send(request)
        except RefusedError as error:
            raise refusals.without_secrets(error, content) from None

    def _learn(self, changed: Body) -> None:
        with self._kubernetes():
            self._discovery.learn(changed)

    @contextmanager
    def _kubernetes(self) -> Iterator[None]:
        """For what reads an answer.

        Raises:
            ClusterError: if the answer has another shape than those of Kubernetes.
        """
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise refusals.not_kubernetes(self.transport.access) from error

    def _tree_or_none(self, method: str, kind: ServedKind, target: ObjectId, body: bytes | None = None) -> Body | None:
        """What the server answers about an object; None if it is not there."""
        path = paths.of_object(kind, target.namespace, target.name)
        try:
            answer = self.transport.send(Request(method=method, path=path, where=str(target), body=body))
        except RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        if method != "DELETE":
            return self._object(answer, target)
        tree = self._tree(answer)  # the object, or a Status that says that it is gone
        if (tree.get("kind"), tree.get("status")) == ("Status", "Failure"):
            raise refusals.of_status(tree, str(target), answer.status)
        return tree

    def _review(self, path: str, body: Body) -> Mapping[str, Any]:
        """Send a question in the form of an object, which is not stored."""
        return self._tree(self.transport.send(Request(method="POST", path=path, where=path, body=orjson.dumps(body))))

    def _user(self) -> str:
        """The user's name as the server has it (from 1.28); empty if it does not say."""
        try:
            review = self._review(_REVIEW, {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
        except RefusedError:
            return ""
        with self._kubernetes():
            return str(((review.get("status") or {}).get("userInfo") or {}).get("username") or "")

    def _object(self, answer: Answer, target: ObjectId) -> Body:
        """The object that was asked for.

        Raises:
            ClusterError: if the answer has none, or another one.
            RefusedError: if it is an error without the status of one.
        """
        tree = self._tree(answer)
        if tree.get("kind") == "Status" and target.kind != "Status":
            raise refusals.of_status(tree, str(target), answer.status)
        if not objects.is_object(tree, is_built_in=objects.is_built_in(target.group)):
            raise refusals.not_kubernetes(self.transport.access)
        metadata = tree["metadata"]
        is_named = "generateName" not in metadata  # else the server has chosen the name
        if is_named and (metadata["name"], metadata.get("namespace") or "") != (target.name, target.namespace):
            raise refusals.not_kubernetes(self.transport.access)
        return tree

    def _tree(self, answer: Answer) -> Body:
        """The JSON in an answer.

        Raises:
            ClusterError: if it is none.
        """
        try:
            tree = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            tree = None
        if not isinstance(tree, dict):
            raise refusals.not_kubernetes(self.transport.access)
        return tree


def _change(method: str, path: str, target: ObjectId, content: object, manager: str = _MANAGER) -> Request:
    return Request(
        method=method, path=path, where=str(target), query={"fieldManager": manager}, body=json_codec.dump(content)
    )
