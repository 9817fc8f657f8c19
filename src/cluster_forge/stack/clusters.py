"""The clusters of a description, and in which order a stack gets to them.

They are not part of the `Stack`: where it is deployed to does not change what is cast.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import DescriptionError, ForgeError, UnknownNameError
from cluster_forge.foundation.label_selector import LabelSelector
from cluster_forge.foundation.names import did_you_mean


class RolloutWait(StrEnum):
    """What must be so on the clusters of one step before the next one begins."""

    HEALTHY = "healthy"
    APPLIED = "applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedCluster:
    """An entry of ``clusters``. ``context`` is that in the kubeconfig; ``kubeconfig`` is empty for kubectl's own."""

    name: str
    context: str
    kubeconfig: str = ""
    environment: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    has_variables: bool = False
    where: str = ""

    @property
    def cast_for(self) -> str:
        """The environment that its stack is cast for: its own name if it has variables (`cluster_variants`)."""
        return self.name if self.has_variables else self.environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """``order`` has names of clusters and environments; ``max_unavailable`` clusters of a step are deployed to at a time."""

    order: tuple[str, ...] = ()
    wait: RolloutWait = RolloutWait.HEALTHY
    max_unavailable: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Central:
    """The cluster whose Argo CD delivers to all others; both empty: that of kubectl's current context."""

    context: str = ""
    kubeconfig: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All clusters of a description, as listed, and the order of a rollout.

    ``has_folders``: each cluster has a folder of its own in the Git repository.
    """

    clusters: tuple[DescribedCluster, ...] = ()
    rollout: Rollout = Rollout()
    central: Central | None = None
    has_folders: bool = False

    def chosen(self, names: Sequence[str] = (), selector: str = "") -> tuple[DescribedCluster, ...]:
        """The clusters with these names, all without any, that also have the labels of ``selector``.

        Raises:
            UnknownNameError, ExceptionGroup: for each name that is none, and if no cluster is left.
            DescriptionError: for a selector that is none.
        """
        known = [cluster.name for cluster in self.clusters]
        raise_all(_unknown(name, known) for name in dict.fromkeys(names) if name not in known)
        selected = _selector(selector)
        chosen = tuple(
            cluster
            for cluster in self.clusters
            if (not names or cluster.name in names) and selected.selects(cluster.labels)
        )
        if not chosen:
            whose = f"none of {', '.join(dict.fromkeys(names))}" if names else "no cluster"
            raise UnknownNameError(
                f"{whose} has the labels {selector!r}" if selector else "the description has no clusters",
                where="input/config.yaml",
                fix="correct the selector" if selector else "add `clusters: [{name: staging, context: …}]`",
            )
        return chosen

    def steps(self, chosen: Sequence[DescribedCluster]) -> tuple[tuple[DescribedCluster, ...], ...]:
        """The clusters in the order of the rollout: those of one step may be deployed to side by side.

        A cluster belongs to the first entry that names it or its environment; what no entry names is the last step.
        """
        places: dict[int, list[DescribedCluster]] = {}
        for cluster in chosen:
            places.setdefault(self._place(cluster), []).append(cluster)
        return tuple(tuple(places[place]) for place in sorted(places))

    def step_of(self, cluster: DescribedCluster) -> int:
        """The step of the whole rollout that a cluster belongs to, from 1."""
        return next(number for number, step in enumerate(self.steps(self.clusters), 1) if cluster in step)

    def _place(self, cluster: DescribedCluster) -> int:
        order = self.rollout.order
        if cluster.name in order:
            return order.index(cluster.name)
        return order.index(cluster.environment) if cluster.environment in order else len(order)


def order_errors(fleet: Fleet, where: str) -> Iterator[ForgeError]:
    """Entries of the rollout's order that are neither a cluster nor the environment of one."""
    known = {cluster.name for cluster in fleet.clusters} | {cluster.environment for cluster in fleet.clusters}
    for entry in fleet.rollout.order:
        if entry not in known:
            yield DescriptionError(
                f"rollout: {entry!r} is neither a cluster nor the environment of one{did_you_mean(entry, known - {''})}",
                where=where,
                fix="name an entry of `clusters`, or an environment that one of them has",
            )


def context_errors(fleet: Fleet) -> Iterator[ForgeError]:
    """Clusters that are one cluster: the stack of one would replace that of the other. A central Argo CD uses no contexts."""
    first: dict[tuple[str, str], str] = {}
    for cluster in fleet.clusters if fleet.central is None else ():
        kubeconfig = cluster.kubeconfig and posixpath.normpath(cluster.kubeconfig)
        other = first.setdefault((cluster.context, kubeconfig), cluster.name)
        if other != cluster.name:
            yield DescriptionError(
                f"clusters: {cluster.name} has the context {cluster.context!r}, which {other} has, too",
                where=cluster.where,
                fix="give each cluster a `context` (or a `kubeconfig`) of its own, or take one of the two out",
            )


def _selector(text: str) -> LabelSelector:
    try:
        return LabelSelector.parse(text)
    except ValueError as error:
        raise DescriptionError(str(error), fix="write --selector region=eu,tier!=test") from error


def _unknown(name: str, known: Iterable[str]) -> UnknownNameError:
    return UnknownNameError(
        f"the description has no cluster {name!r}{did_you_mean(name, known)}",
        where="input/config.yaml",
        fix=f"name one of: {', '.join(known)}" if known else "add it to `clusters`",
    )
