"""Objects of a kind, page after page, and what changes after that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from math import ceil
from typing import Any, Final

import orjson
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from cluster_forge.adapters.kubernetes import objects, paths, refusals
from cluster_forge.adapters.kubernetes.answers import JSON, METADATA, Request
from cluster_forge.adapters.kubernetes.transport import Transport
from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Change, Event, Kept, Query, ServedKind

_PAGE: Final = 500
_MOST_PAGES: Final = 2_000
_MOST_TRIES: Final = 3
_LARGEST: Final = 2 << 30
"""Bytes of all pages."""
_METADATA_LIST: Final = METADATA.replace("Metadata;", "MetadataList;")
_SILENCE: Final = 90.0
"""Seconds without a word, after which a watch is taken for cut: a bookmark comes about every minute."""
_LONGEST_LINE: Final = 64 << 20
_PAUSE: Final = 0.5
"""Seconds between a watch that was cut and the next one."""
_PASSING: Final = frozenset({429, 500, 503, 504})


def kept(
    transport: Transport, kind: ServedKind, query: Query, keep: Callable[[Body], Kept]
) -> tuple[tuple[Kept, ...], str]:
    """What ``keep`` makes of each object, and the version of the list. One whose next page is gone (410) is begun again.

    Raises:
        ClusterError, RefusedError: as `Transport.send`.
    """
    for _ in range(_MOST_TRIES - 1):
        try:
            return _pages(transport, kind, query, keep)
        except RefusedError as error:
            if error.status != HTTPStatus.GONE:
                raise
    return _pages(transport, kind, query, keep)


def watched(transport: Transport, kind: ServedKind, query: Query, since: str, seconds: float) -> Iterator[Event]:
    """What changes after ``since``; a watch that is cut goes on after the last event.

    Raises:
        ClusterError, RefusedError: as `Transport.stream`; with status 410 if ``since`` is too old.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        sent = {"resourceVersion": since, "timeoutSeconds": str(ceil(left) + 1)}
        request = replace(_request(kind, query, {"watch": "true", "allowWatchBookmarks": "true", **sent}), within=left)
        is_new = False
        try:
            with transport.stream(request, min(left, _SILENCE)) as response:
                for line in _lines(response, end):
                    event, since = _event(line, kind, query, since, transport)
                    is_new = True
                    if event:
                        yield event
        except (HTTPError, OSError, ValueError):
            pass  # it was cut, or is silent
        except RefusedError as error:
            if error.status not in _PASSING:
                raise
        if not is_new:
            time.sleep(max(0.0, min(_PAUSE, end - time.monotonic())))


def _pages(
    transport: Transport, kind: ServedKind, query: Query, keep: Callable[[Body], Kept]
) -> tuple[tuple[Kept, ...], str]:
    items: list[Kept] = []
    version, following, size = "", "", 0
    for _ in range(_MOST_PAGES):
        answer = transport.send(_request(kind, query, {"limit": str(_PAGE), "continue": following}))
        tree = _tree(answer.body)
        listed, metadata = tree.get("items"), tree.get("metadata")
        listed = [] if listed is None and "items" in tree else listed  # an empty PartialObjectMetadataList
        if not isinstance(listed, list) or not isinstance(metadata, dict):
            raise refusals.not_kubernetes(transport.access)
        size += len(answer.body)
        if size > _LARGEST:
            raise _too_many(kind, query, transport, f"has more than {_LARGEST >> 30} GiB of objects")
        items += [keep(_completed(item, kind, query, transport)) for item in listed]
        version = version or str(metadata.get("resourceVersion") or "")
        following = str(metadata.get("continue") or "")
        if not following:
            return tuple(items), version
    raise _too_many(kind, query, transport, f"has more than {counted(_MOST_PAGES * _PAGE, 'object')}")


def _too_many(kind: ServedKind, query: Query, transport: Transport, what: str) -> ClusterError:
    return ClusterError(
        f"{paths.of_kind(kind, query.namespace)} {what}",
        where=transport.access.where,
        fix="remove those that nothing needs: so many are an error of the program that creates them",
    )


def _request(kind: ServedKind, query: Query, sent: Mapping[str, str]) -> Request:
    """A list or, with ``watch``, a watch."""
    partial = METADATA if "watch" in sent else _METADATA_LIST
    path = paths.of_kind(kind, query.namespace)
    selected = {"labelSelector": query.labels, "fieldSelector": query.fields}
    return Request(
        method="GET", path=path, where=path, query={**selected, **sent}, accept=partial if query.metadata_only else JSON
    )


def _tree(body: bytes) -> Mapping[str, Any]:
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return tree if isinstance(tree, dict) else {}


def _completed(item: object, kind: ServedKind, query: Query, transport: Transport) -> Body:
    """An object of a list, which leaves ``apiVersion`` and ``kind`` out.

    Raises:
        ClusterError: if it is none, or one that was not asked for.
    """
    is_built_in = objects.is_built_in(kind.group) and not query.metadata_only
    if not isinstance(item, dict) or not objects.is_object(item, is_built_in=is_built_in):
        raise refusals.not_kubernetes(transport.access)
    namespace = item["metadata"].get("namespace") or ""
    if query.namespace and namespace not in ("", query.namespace):
        raise refusals.not_kubernetes(transport.access)
    if query.metadata_only:
        return {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": item["metadata"]}
    return {**item, "apiVersion": kind.api_version, "kind": kind.kind}


def _lines(response: BaseHTTPResponse, end: float) -> Iterator[bytes]:
    """The lines of a response, until ``end``.

    Raises:
        HTTPError, OSError: if it breaks off.
        ValueError: for a line that is too long.
    """
    rest = b""
    while time.monotonic() < end and (part := response.read1(1 << 18, decode_content=False)):
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise ValueError("a line is too long")
        yield from filter(None, lines)


def _event(line: bytes, kind: ServedKind, query: Query, since: str, transport: Transport) -> tuple[Event | None, str]:
    """The change that a line of a watch reports, if it is one, and the version that is known then.

    Raises:
        RefusedError: for an error of the server's.
        ClusterError: for a line that no API server writes.
    """
    tree = _tree(line)
    body = tree.get("object")
    if not isinstance(body, dict):
        raise refusals.not_kubernetes(transport.access)
    if tree.get("type") == "ERROR":
        raise refusals.of_status(body, paths.of_kind(kind, query.namespace))
    metadata = body.get("metadata")
    version = str((metadata if isinstance(metadata, dict) else {}).get("resourceVersion") or since)
    change = str(tree.get("type"))
    if change in Change.__members__:
        return Event(change=Change(change), body=_completed(body, kind, query, transport)), version
    return None, version
