"""The objects of a cluster by their names: to see what a test left, and to remove it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
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
LAST = {"Namespace", "CustomResourceDefinition"}
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

        Finalizers are removed: what would act on them may be gone as well.

        Raises:
            TimeoutError: with the objects that stay.
        """
        left: list[Found] = []

        def is_reduced() -> bool:
            left[:] = [one for one in self._all() if one.key not in ground and (is_ours is None or is_ours(one.body))]
            for kinds in (INTERCEPTING, None, LAST):
                chosen = [one for one in left if _is_turn(one.key.kind, kinds)]
                with ThreadPoolExecutor(THREADS) as threads:
                    list(threads.map(self._delete, chosen))
            self._wait_for_end(left)
            return not left

        try:
            until(is_reduced, "the cluster is empty")
        except TimeoutError as error:
            error.add_note("\n".join(sorted(str(one.key) for one in left)))
            raise

    def _wait_for_end(self, found: Iterable[Found]) -> None:
        """Wait until they are gone, or until it is time to look again: to list all that a cluster has takes a second of its work."""
        deadline = time.monotonic() + LOOKS_AGAIN_SECONDS
        for one in found:
            while time.monotonic() < deadline and self._http.request("GET", one.path).status == 200:
                time.sleep(0.1)

    def _delete(self, found: Found) -> None:
        """Delete an object now; whatever may happen to it meanwhile, the next look shows it."""
        self._http.request("DELETE", found.path, body=NOW, headers={"Content-Type": "application/json"})
        if found.body["metadata"].get("finalizers") and found.key.kind != "CustomResourceDefinition":
            patch = orjson.dumps([{"op": "remove", "path": "/metadata/finalizers"}])
            self._http.request("PATCH", found.path, body=patch, headers=JSON_PATCH)

    def _all(self) -> list[Found]:
        kinds: dict[tuple[str, str], tuple[str, Resource]] = {}
        for (api, kind), resource in discovery.served(self._http).items():
            group = api.rpartition("/")[0]
            if {"list", "delete"} <= resource.verbs and kind not in FLEETING:
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


def _is_turn(kind: str, kinds: set[str] | None) -> bool:
    return kind in kinds if kinds is not None else kind not in INTERCEPTING | LAST
