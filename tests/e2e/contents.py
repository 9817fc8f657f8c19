"""The objects of a cluster by their names: to see what a test left, and to remove it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import orjson
import urllib3
from tests.e2e import discovery
from tests.e2e.discovery import Resource
from tests.e2e.polling import until

from cluster_forge.manifests.manifest import Body

THREADS = 8
LOOKS_AGAIN_SECONDS = 2.0
FLEETING = {"Event", "Lease", "Endpoints", "EndpointSlice", "CSINode", "Node", "PodMetrics", "NodeMetrics", "IPAddress"}
"""Kinds whose objects come and go by themselves."""
INTERCEPTING = {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService"}
"""What stands between a request and the object: it goes first, because its server may be gone."""
NAMESPACE = "Namespace"
"""They go next: nothing is created any more in one that is terminating."""
DEFINITION = "CustomResourceDefinition"
"""They go last, after the custom resources and their finalizers."""
JSON = {"Content-Type": "application/json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
NOW = orjson.dumps({"gracePeriodSeconds": 0, "propagationPolicy": "Background"})

IsOurs = Callable[[Body], bool]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An object: group, kind, namespace and name."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind}{f'.{self.group}' if self.group else ''} {place}{self.name}"


@dataclass(frozen=True, slots=True)
class Found:
    """An object, and where it is."""

    key: Key
    path: str
    body: Body


class Contents:
    """What is in a cluster now."""

    def __init__(self, http: urllib3.HTTPConnectionPool) -> None:
        self._http = http

    def keys(self) -> frozenset[Key]:
        return frozenset(found.key for found in self._all())

    def bodies(self) -> dict[Key, Body]:
        return {found.key: found.body for found in self._all()}

    def reduce_to(self, ground: frozenset[Key], is_ours: IsOurs | None = None) -> None:
        """Delete every object that is not in ``ground`` (with ``is_ours`` of those only), and wait until they are gone.

        Finalizers are removed: what would act on them may be gone as well. Those of namespaces, too, as soon as a namespace is
        empty; only with ``is_ours``, on a cluster that may have more in them, the namespace controller does that. It would take
        5 s longer (``namespaceDeletionGracePeriod`` in its source), and most tests leave a namespace.

        Raises:
            TimeoutError: with the objects that stay.
        """
        left: list[Found] = []

        def is_reduced() -> bool:
            found = self._all(without=())
            left[:] = [
                one
                for one in found
                if _is_lasting(one) and one.key not in ground and (is_ours is None or is_ours(one.body))
            ]
            namespaces = [one for one in left if one.key.kind == NAMESPACE and is_ours is None]
            ending = {one.key.name for one in namespaces}
            inside = [one for one in found if one.key.namespace in ending]
            filled = {one.key.namespace for one in inside}
            empty = [one for one in namespaces if one.key.name not in filled and _is_terminating(one)]
            self._delete_in_turn([*left, *(one for one in inside if not _is_lasting(one))])
            self._each(self._finalize, empty)
            self._wait_for_end([*(one for one in left if one not in namespaces), *empty])
            return not left

        try:
            until(is_reduced, "the cluster is empty")
        except TimeoutError as error:
            error.add_note("\n".join(sorted(str(one.key) for one in left)))
            raise

    def _delete_in_turn(self, found: Iterable[Found]) -> None:
        for _, turn in itertools.groupby(sorted(found, key=_turn), key=_turn):
            self._each(self._delete, turn)

    def _each(self, act: Callable[[Found], None], found: Iterable[Found]) -> None:
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(act, found))

    def _wait_for_end(self, found: Iterable[Found]) -> None:
        """Wait until they are gone, or until it is time to look again: to list all that a cluster has takes a second of its work."""
        deadline = time.monotonic() + LOOKS_AGAIN_SECONDS
        for one in found:
            while time.monotonic() < deadline and self._http.request("GET", one.path).status == 200:
                time.sleep(0.1)

    def _delete(self, found: Found) -> None:
        """Delete an object now; whatever may happen to it meanwhile, the next look shows it."""
        self._http.request("DELETE", found.path, body=NOW, headers=JSON)
        if found.body["metadata"].get("finalizers") and found.key.kind != DEFINITION:
            patch = orjson.dumps([{"op": "remove", "path": "/metadata/finalizers"}])
            self._http.request("PATCH", found.path, body=patch, headers=JSON_PATCH)

    def _finalize(self, namespace: Found) -> None:
        body = orjson.dumps({**namespace.body, "spec": {"finalizers": []}})
        self._http.request("PUT", f"{namespace.path}/finalize", body=body, headers=JSON)

    def _all(self, without: Collection[str] = FLEETING) -> list[Found]:
        kinds: dict[tuple[str, str], tuple[str, Resource]] = {}
        for (api, kind), resource in discovery.served(self._http).items():
            group = api.rpartition("/")[0]
            if {"list", "delete"} <= resource.verbs and kind not in without:
                kinds.setdefault((group, kind), (kind, resource))
        with ThreadPoolExecutor(THREADS) as threads:
            lists = threads.map(lambda item: list(self._list(item[0][0], *item[1])), kinds.items())
            return [found for objects in lists for found in objects]

    def _list(self, group: str, kind: str, resource: Resource) -> Iterable[Found]:
        answer = self._http.request("GET", resource.all)
        if answer.status != 200:  # the kind is gone, or its server does not answer: the kind itself is deleted as well
            return
        for body in orjson.loads(answer.data)["items"]:
            meta = body["metadata"]
            key = Key(group, kind, meta.get("namespace", ""), meta["name"])
            yield Found(key, resource.path(key.namespace, key.name), body)


def _is_lasting(found: Found) -> bool:
    return found.key.kind not in FLEETING


def _is_terminating(found: Found) -> bool:
    return "deletionTimestamp" in found.body["metadata"]


def _turn(found: Found) -> int:
    """When an object is deleted, among others."""
    kind = found.key.kind
    return 0 if kind in INTERCEPTING else 1 if kind == NAMESPACE else 3 if kind == DEFINITION else 2
