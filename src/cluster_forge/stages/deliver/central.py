"""A rollout through a central Argo CD: the checks before it, the lease of the stack, the plan of each cluster, and what it
becomes there: a release, kept in Argo CD's cluster.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.gitops import cluster_folder, git_server
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.ports.progress import DeliveryReporter
from cluster_forge.stages.deliver import creation, obstacles, results
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.argocd.central import CentralCluster, CentralDelivery, CentralRequest
from cluster_forge.stages.deliver.cluster_records import lease, release_run, releases
from cluster_forge.stages.deliver.cluster_records.leased_cluster import LeasedCluster
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.preflight import central as central_check
from cluster_forge.stages.deliver.preflight import engine as engine_check
from cluster_forge.stages.deliver.preflight import engine_login, engine_pauses, records
from cluster_forge.stages.deliver.preflight import registry as preflight
from cluster_forge.stages.deliver.preflight.problem import NOT_CHECKED, Problem
from cluster_forge.stages.deliver.preflight.situation import Situation
from cluster_forge.stages.deliver.results import ComponentResult
from cluster_forge.stages.deliver.tools import DeliverTools

CHECKS: Final = (engine_check, engine_login, engine_pauses, central_check, records)
CODES: Final = frozenset({NOT_CHECKED, *chain.from_iterable(check.CODES for check in CHECKS)})
"""Of the problems that are looked for."""


def checked(request: CentralRequest, tools: DeliverTools) -> tuple[Problem, ...]:
    """What Argo CD and the clusters that it knows say against the rollout, without what stops it.

    Raises:
        PreflightError, ExceptionGroup: for everything that stops it.
    """
    steps = len({cluster.step for cluster in request.clusters})
    problems: list[Problem] = []
    for deployment, parts in {one.deployment.folder: (one.deployment, one.parts) for one in request.clusters}.values():
        plan = argocd_place.found_if_any(deployment.plan, tools.cluster, request.options.namespace)
        names = tuple(one.name for one in request.clusters if one.deployment.folder == deployment.folder)
        situation = Situation(
            plan=plan, tools=tools, options=request.options, parts=parts, central=names, central_steps=steps
        )
        problems += preflight.check(situation, CHECKS)
    raise_all(problem.error() for problem in dict.fromkeys(problems) if problem.is_error)
    return tuple(dict.fromkeys(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralResult:
    """What became of the components in one cluster; ``release`` and ``former`` as `DeployResult` has them."""

    components: tuple[ComponentResult, ...]
    release: int
    former: int

    @property
    def is_good(self) -> bool:
        return all(component.state.is_good for component in self.components)


class CentralRollout:
    """A rollout while the lease of its stack is held."""

    def __init__(self, request: CentralRequest, delivery: CentralDelivery, tools: DeliverTools) -> None:
        self._request, self._delivery, self._tools = request, delivery, tools
        self._clusters = {cluster.name: cluster for cluster in request.clusters}
        self._recording = threading.Lock()
        self._kept: dict[str, Deployment] = {}
        """What releases keep of each stack, by its folder."""

    def deliver(self, cluster: str, reporter: DeliveryReporter) -> CentralResult:
        """Deploy to a cluster, and keep what was deployed. Safe for several threads.

        Raises:
            ForgeError, ExceptionGroup: as `CentralDelivery.deliver` and `releases.begin`.
        """
        request, tools = self._request, self._tools
        with self._recording:
            kept = self._kept_of(self._clusters[cluster])
            begun = releases.begin(kept, tools, run=request.run, cause=request.cause, destination=cluster)
        components = release_run.recorded(
            begun.release, tools, lambda: self._delivery.deliver(cluster, reporter), results.reasons, self._recording
        )
        return CentralResult(components=components, release=begun.release.number, former=begun.former)

    def _kept_of(self, one: CentralCluster) -> Deployment:
        if not one.parts:  # a release from before, which has the fields if they were kept then
            return one.deployment
        folder = one.deployment.folder
        if folder not in self._kept:
            self._kept[folder] = obstacles.with_deciding_fields(one.deployment, one.parts)
        return self._kept[folder]


@contextmanager
def opened(request: CentralRequest, tools: DeliverTools) -> Iterator[CentralRollout]:
    """The rollout, for as long as the context lasts.

    Raises:
        BusyError: if another deployment of the stack is running.
        UnknownNameError, DescriptionError: as `CentralDelivery.check`.
        ClusterError, RefusedError: if Argo CD's cluster does not answer, or does not take the project.
    """
    creation.create_namespace(git_server.NAMESPACE, tools.cluster)  # of the lease
    plans = {one.name: plan_of(one.deployment, one.name, tools, request.options.namespace) for one in request.clusters}
    with lease.held(request.clusters[0].deployment.name, tools, run=request.run) as held:
        tools = replace(tools, cluster=LeasedCluster(tools.cluster, held))
        delivery = CentralDelivery(request, plans, tools)
        delivery.check()
        delivery.widen()
        yield CentralRollout(request, delivery, tools)
        delivery.narrow()


def plan_of(deployment: Deployment, cluster: str, tools: DeliverTools, namespace: str = "") -> DeployPlan:
    """The plan of one cluster for the Argo CD of ``tools``' cluster.

    Raises:
        PreflightError: if there is none, or none in ``namespace``.
    """
    read = tools.reader.read
    plan = argocd_place.found(deployment.plan, tools.cluster, namespace)
    place = cluster_folder.of(plan, cluster, read, is_central=True)
    return cluster_folder.placed_plan(plan, place, read)
