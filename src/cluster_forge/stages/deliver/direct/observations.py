"""How far the objects of a cluster have come, as lists, watches and answers of the API server say.

What a watch reports of an object before it was last applied says nothing about it: resource versions tell which is
later (KEP-5504: they are numbers that grow).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from threading import Condition
from typing import Final

from cluster_forge.manifests import health, webhooks
from cluster_forge.manifests.health import Health, Status
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.readiness_rule import ReadinessRule
from cluster_forge.ports.cluster import Change, Cluster, Query
from cluster_forge.stages.deliver.tools import Rules

_MISSING: Final = Health(Status.IN_PROGRESS, "is not there")
_REMOVED: Final = Health(Status.READY, "completed, and removed")
RUN_ONCE: Final = frozenset({("batch", "Job"), ("", "Pod")})
"""Kinds that run to completion: what has failed stays failed."""

_WATCHED: Final = health.AWAITED | RUN_ONCE | webhooks.CONFIGURATIONS
Place = tuple[str, str, str]
"""What is watched at once: group and kind, and for Pods, of which a cluster has many, the namespace."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """An object as it was last seen. ``version`` is 0 for a resource version that is not a number."""

    health: Health
    version: int
    is_fleeting: bool = False
    """A Job that the cluster removes once it is complete (``ttlSecondsAfterFinished``)."""
    services: frozenset[tuple[str, str]] = frozenset()
    """Those behind the webhooks of a configuration."""


@dataclass(slots=True)
class Watched:
    """The objects of one place, by namespace and name. ``since`` is where a watch begins, empty until they were listed;
    ``is_watched``: some call watches it. ``rule`` says when custom resources of the kind are ready.
    """

    place: Place
    objects: dict[tuple[str, str], _Seen] = field(default_factory=dict)
    since: str = ""
    is_watched: bool = False
    rule: ReadinessRule | None = None


class Observations:
    """The objects that were looked at. ``labels`` select those that are listed and watched, ``rules`` say when custom
    resources are ready.

    `changed` guards them, and is notified of every change.
    """

    def __init__(self, cluster: Cluster, labels: str = "", rules: Callable[[], Rules] = dict) -> None:
        self.changed = Condition()
        self._cluster = cluster
        self._labels = labels
        self._rules = rules
        self._places: dict[Place, Watched] = {}

    def observe(self, body: Body) -> None:
        """Take an object over as the API server has it now: older states of it do not count from here on."""
        target = ObjectId.of(body)
        if (target.group, target.kind) in _WATCHED:
            watched = self.of(target)
            with self.changed:
                _note(watched, body)

    def of(self, target: ObjectId) -> Watched:
        """The place that the object belongs to."""
        place = (target.group, target.kind, target.namespace if target.kind == "Pod" else "")
        with self.changed:
            if place not in self._places:
                rule = None if place[:2] in _WATCHED else self._rules().get(place[:2])
                self._places[place] = Watched(place, rule=rule)
            return self._places[place]

    def health(self, target: ObjectId) -> Health:
        """How far an object has come, as it was last seen."""
        seen = self.of(target).objects.get((target.namespace, target.name))
        return seen.health if seen else _MISSING

    def services(self, target: ObjectId) -> frozenset[tuple[str, str]]:
        """Namespace and name of the Services behind a webhook configuration, as it was last seen."""
        seen = self.of(target).objects.get((target.namespace, target.name))
        return seen.services if seen else frozenset()

    def list(self, watched: Watched) -> None:
        """Look at all objects of a place."""
        listing = self._cluster.list(self._query(watched.place))
        with self.changed:
            for body in listing.items:
                _note(watched, body)
            there = {(body["metadata"].get("namespace", ""), body["metadata"]["name"]) for body in listing.items}
            for key in watched.objects.keys() - there:
                _forget(watched, key, _number(listing.version))
            watched.since = listing.version
            self.changed.notify_all()

    def watch(self, watched: Watched, seconds: float) -> Generator[None]:
        """Take changes of a place over as they come; a pause after each."""
        with contextlib.closing(
            iter(self._cluster.watch(self._query(watched.place), watched.since, seconds))
        ) as events:  # type: ignore[type-var]
            for event in events:
                metadata = event.body["metadata"]
                with self.changed:
                    if event.change is Change.DELETED:
                        _forget(watched, (metadata.get("namespace", ""), metadata["name"]), _version(event.body))
                    else:
                        _note(watched, event.body)
                    watched.since = str(metadata.get("resourceVersion") or watched.since)
                    self.changed.notify_all()
                yield

    def _query(self, place: Place) -> Query:
        group, kind, namespace = place
        return Query(group=group, kind=kind, namespace=namespace, labels="" if namespace else self._labels)


def _note(watched: Watched, body: Body) -> None:
    key = (body["metadata"].get("namespace", ""), body["metadata"]["name"])
    known, version = watched.objects.get(key), _version(body)
    if known and version and version < known.version:
        return
    spec = body.get("spec")
    is_fleeting = isinstance(spec, Mapping) and spec.get("ttlSecondsAfterFinished") is not None
    if watched.place[:2] in webhooks.CONFIGURATIONS:
        watched.objects[key] = _Seen(_trust(body), version, services=webhooks.services(body))
    else:
        watched.objects[key] = _Seen(health.completion(body, watched.rule), version, is_fleeting)


def _trust(body: Body) -> Health:
    """Whether the API server can trust the webhooks of a configuration."""
    if name := webhooks.untrusted(body):
        return Health(
            Status.IN_PROGRESS, f"webhook {name} has no caBundle yet, which its operator or cert-manager writes"
        )
    return Health(Status.READY, "")


def _forget(watched: Watched, key: tuple[str, str], version: int) -> None:
    """An object was not there any more at this version."""
    known = watched.objects.get(key)
    if known is None or (version and version < known.version):
        return
    if known.is_fleeting:
        watched.objects[key] = _Seen(_REMOVED, known.version, is_fleeting=True)
    else:
        del watched.objects[key]


def _version(body: Body) -> int:
    return _number(body["metadata"].get("resourceVersion"))


def _number(version: object) -> int:
    text = str(version or "")
    return int(text) if text.isascii() and text.isdigit() else 0
