"""What an API server serves: aggregated discovery (KEP-3352), or, from older servers, the list of each group and version.

The answers are kept; asked again, an unchanged document costs an empty ``304`` (its ETag is the digest of its content).
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cluster_forge.adapters.kubernetes import refusals
from cluster_forge.adapters.kubernetes.answers import JSON, Request
from cluster_forge.adapters.kubernetes.transport import Transport
from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ServedKind, ServedKinds

_ACCEPT: Final = ",".join(
    [*(f"{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")), JSON]
)
_CORE: Final = "/api"
"""The kinds without a group: they come with the server, and nothing adds to them."""
_ROOTS: Final = (_CORE, "/apis")
_MOST: Final = 100_000
"""Kinds that a server may serve: more than any has."""
_CRD: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """What is below ``/api`` or ``/apis``; without ``tag`` it is asked for as a whole each time."""

    kinds: tuple[ServedKind, ...]
    stale: frozenset[str] = frozenset()
    tag: str = ""


class Discovery:
    """The kinds of an API server. Safe for several threads, of which one asks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._asked = -1.0
        self._documents: Mapping[str, _Document] = {}
        self._served = ServedKinds(())
        self._defined: dict[tuple[str, str, str], ServedKind] = {}

    def served(self, *, is_fresh: bool = False) -> ServedKinds:
        """Everything, as it was or (``is_fresh``) as it is now.

        Raises:
            ClusterError, RefusedError: if the server does not say.
        """
        wanted = time.monotonic() if is_fresh else 0.0
        with self._lock:
            if self._asked < wanted:
                began = time.monotonic()
                self._documents = {root: self._current(root) for root in _ROOTS}
                documents = self._documents.values()
                kinds = tuple(kind for document in documents for kind in document.kinds)
                self._served = ServedKinds(kinds, frozenset().union(*(document.stale for document in documents)))
                self._asked = began
            return self._served

    def find(self, group: str, kind: str, version: str = "") -> ServedKind | None:
        """A kind in a version, or in the preferred one; None if it is not served, also asked again.

        Raises:
            ClusterError, RefusedError: as `served`.
        """
        return (
            self.served().find(group, kind, version)
            or self._defined.get((group, kind, version))
            or self.served(is_fresh=True).find(group, kind, version)
        )

    def learn(self, body: Body) -> None:
        """Know the kinds of a CRD that was applied: the server serves them before its discovery lists them."""
        metadata = body.get("metadata", {})
        if (str(body.get("apiVersion")).partition("/")[0], body.get("kind")) != _CRD or "deletionTimestamp" in metadata:
            return
        for kind in _defined(body["spec"]):
            self._defined[kind.group, kind.kind, kind.version] = kind

    def _current(self, root: str) -> _Document:
        known = self._documents.get(root)
        return known if known and root == _CORE else self._document(root)

    def _document(self, root: str) -> _Document:
        before = self._documents.get(root)
        request = Request(method="GET", path=root, where=root, accept=_ACCEPT, known=before.tag if before else "")
        answer = self._transport.ask(request)
        if answer.status == 304 and before:
            return before
        if answer.status == http.client.NOT_FOUND:
            raise refusals.no_api(self._transport.access, root)
        if answer.status >= 300:
            raise refusals.of(answer, self._transport.access, root)
        tree = _parsed(answer.body)
        try:
            match tree.get("kind"):
                case "APIGroupDiscoveryList":
                    kinds, stale = _aggregated(tree)
                    return _Document(kinds=kinds, stale=stale, tag=answer.header("ETag"))
                case "APIVersions" | "APIGroupList":
                    return self._plain(root, tree)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise refusals.not_kubernetes(self._transport.access) from error
        raise refusals.not_kubernetes(self._transport.access)

    def _plain(self, root: str, tree: Mapping[str, Any]) -> _Document:
        kinds: list[ServedKind] = []
        stale: set[str] = set()
        for group, versions in _plain_versions(tree):
            preferred: set[str] = set()
            for version in versions:
                path = f"{root}/{group}/{version}" if group else f"{root}/{version}"
                try:
                    answer = self._transport.send(Request(method="GET", path=path, where=path, waits=False))
                except (RefusedError, ClusterError):
                    stale.add(group)
                    continue
                served = list(_plain_kinds(_parsed(answer.body), group, version, preferred))
                preferred |= {kind.kind for kind in served}
                kinds += served
        return _Document(kinds=tuple(kinds[:_MOST]), stale=frozenset(stale))


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return tree if isinstance(tree, dict) else {}


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """The entries of a list that are mappings."""
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _aggregated(tree: Mapping[str, Any]) -> tuple[tuple[ServedKind, ...], frozenset[str]]:
    """``APIGroupDiscoveryList``: the versions of a group are in the server's order of preference."""
    kinds: list[ServedKind] = []
    stale: set[str] = set()
    for item in _mappings(tree.get("items")):
        group, preferred = str(item.get("metadata", {}).get("name") or ""), set[str]()
        for version in _mappings(item.get("versions")):
            if version.get("freshness") == "Stale":
                stale.add(group)
            served = list(_aggregated_kinds(version, group, preferred))
            preferred |= {kind.kind for kind in served}
            kinds += served
    return tuple(kinds[:_MOST]), frozenset(stale)


def _aggregated_kinds(version: Mapping[str, Any], group: str, preferred: set[str]) -> Iterator[ServedKind]:
    for resource in _mappings(version.get("resources")):
        kind = resource.get("responseKind") or {}
        if not kind.get("kind") or not resource.get("resource"):
            continue  # it has subresources only
        yield ServedKind(
            group=group,
            version=str(version.get("version")),
            kind=str(kind["kind"]),
            plural=str(resource["resource"]),
            is_namespaced=resource.get("scope") == "Namespaced",
            is_preferred=kind["kind"] not in preferred,
            verbs=frozenset(map(str, resource.get("verbs") or ())),
            subresources=frozenset(str(part.get("subresource")) for part in _mappings(resource.get("subresources"))),
        )


def _plain_versions(tree: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each group with its versions, the preferred one first."""
    if tree["kind"] == "APIVersions":
        yield "", [str(version) for version in tree.get("versions") or ()]
    for group in _mappings(tree.get("groups")):
        versions = [str(version.get("version")) for version in _mappings(group.get("versions"))]
        first = str((group.get("preferredVersion") or {}).get("version"))
        yield str(group.get("name")), sorted(versions, key=lambda version: version != first)


def _plain_kinds(tree: Mapping[str, Any], group: str, version: str, preferred: set[str]) -> Iterator[ServedKind]:
    """``APIResourceList``: subresources are entries like ``deployments/status``."""
    resources = list(_mappings(tree.get("resources")))
    parts: dict[str, set[str]] = {}
    for resource in resources:
        plural, _, part = str(resource.get("name")).partition("/")
        parts.setdefault(plural, set()).update([part] if part else [])
    for resource in resources:
        plural, kind = str(resource.get("name")), str(resource.get("kind"))
        if "/" not in plural:
            yield ServedKind(
                group=group,
                version=version,
                kind=kind,
                plural=plural,
                is_namespaced=bool(resource.get("namespaced")),
                is_preferred=kind not in preferred,
                verbs=frozenset(map(str, resource.get("verbs") or ())),
                subresources=frozenset(parts[plural]),
            )


def _defined(spec: Mapping[str, Any]) -> Iterator[ServedKind]:
    """The kinds of a CRD, each version and (as version "") the first."""
    is_first = True
    for version in _mappings(spec.get("versions")):
        if not version.get("served"):
            continue
        kind = ServedKind(
            group=str(spec["group"]),
            version=str(version["name"]),
            kind=str(spec["names"]["kind"]),
            plural=str(spec["names"]["plural"]),
            is_namespaced=spec.get("scope") == "Namespaced",
            is_preferred=is_first,
            subresources=frozenset(version.get("subresources") or ()),
        )
        is_first = False
        yield kind
