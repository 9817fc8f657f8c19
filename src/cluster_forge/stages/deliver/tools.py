"""The ports that the stages of a delivery share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cluster_forge.gitops.audit_entry import Entry
from cluster_forge.manifests.readiness_rule import ReadinessRule
from cluster_forge.ports.clock import Clock
from cluster_forge.ports.cluster import Cluster, ClusterFacts
from cluster_forge.ports.progress import DeliveryReporter
from cluster_forge.ports.rendering import YamlReader
from cluster_forge.ports.workers import Workers
from cluster_forge.ports.workspace import FolderReader

Rules = Mapping[tuple[str, str], ReadinessRule]
History = Callable[[Entry, ClusterFacts], None]
"""Keeps an entry about a change of a stack in that cluster; it raises nothing."""


def unkept(entry: Entry, facts: ClusterFacts) -> None:
    """No history: not every delivery has a workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverTools:
    """One cluster, and what a delivery to it needs.

    ``workers`` send requests: as many at once as the API server should get. ``waiters`` are for calls that mostly wait,
    such as one for each component: as many as there are calls. ``rules`` say when custom resources are ready, by group and
    kind; they are read when they are first needed. ``history`` is that of the workspace.
    """

    cluster: Cluster
    files: FolderReader
    reader: YamlReader
    clock: Clock
    workers: Workers
    waiters: Workers
    reporter: DeliveryReporter
    rules: Callable[[], Rules] = field(default=dict)
    history: History = unkept
