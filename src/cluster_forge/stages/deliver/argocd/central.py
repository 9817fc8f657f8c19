"""Delivery of a stack to many clusters through the Argo CD of one: an AppProject, and an ApplicationSet that pins each cluster.

The project permits what the clusters had before, too, until all of them have the new version. A cluster gets it when its pin
is moved: one at a time, or as many as the rollout allows, and each is awaited before the next.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import DeploymentError, DescriptionError, UnknownNameError
from cluster_forge.foundation.names import counted
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import applications, central
from cluster_forge.gitops.argocd import project as projects
from cluster_forge.gitops.argocd.central import Pin
from cluster_forge.gitops.argocd.project import Rights
from cluster_forge.gitops.plan import ArgoCdPlan, DeployPlan
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import ApplyOptions
from cluster_forge.ports.progress import DeliveryReporter
from cluster_forge.stages.deliver.argocd import delivery, operations
from cluster_forge.stages.deliver.argocd.wait import ApplicationWait
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.options import STAGE, DeployOptions
from cluster_forge.stages.deliver.patience import tolerated
from cluster_forge.stages.deliver.results import ComponentResult
from cluster_forge.stages.deliver.tools import DeliverTools

_PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralCluster:
    """A cluster that is deployed to: the stack of its environment, and its step in the rollout, from 1."""

    name: str
    deployment: Deployment
    parts: Sequence[Part]
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralRequest:
    """``clusters`` are deployed to, ``at_once`` of a step at a time. ``described`` are the names of all clusters of the
    description: the pins of the others among them stay, and those of clusters that are not described go. None: only the pins
    of ``clusters`` move, and all else stays as the ApplicationSet has it, ``at_once`` too. ``cause`` says why they are deployed
    to, if not for its own sake.
    """

    clusters: tuple[CentralCluster, ...]
    described: frozenset[str] | None
    at_once: int
    options: DeployOptions
    run: str
    cause: str = ""


class CentralDelivery:
    """A rollout while the lease of its stack is held."""

    def __init__(self, request: CentralRequest, plans: Mapping[str, DeployPlan], tools: DeliverTools) -> None:
        self._request, self._plans, self._tools = request, plans, tools
        self._steps = {cluster.name: cluster.step for cluster in request.clusters}
        self._pinning = threading.Lock()
        self._done: set[str] = set()
        self._there = tools.cluster.get(self._set_id) or {}
        pins = {pin.cluster: pin for pin in central.pins(self._there)}
        self._described = frozenset(pins) if request.described is None else request.described
        self._pins = {cluster: pin for cluster, pin in pins.items() if cluster in self._described}

    def deliver(self, cluster: str, reporter: DeliveryReporter) -> tuple[ComponentResult, ...]:
        """Move the pin of a cluster, and wait until its Applications are ready. Safe for several threads.

        Raises:
            ClusterError, RefusedError: if Argo CD's cluster does not answer, or does not take it.
            DeploymentError: if Argo CD does not apply the stack, and no component says why.
        """
        plan, tools = self._plans[cluster], replace(self._tools, reporter=reporter)
        argocd = _argocd(plan)
        reporter.stage_started(STAGE, len(plan.components))
        before = operations.settle(plan, argocd, tools)
        self._pin(cluster)
        states = None
        if self._request.options.waits:
            self._await_root(argocd)
            # Argo CD caches a repository for three minutes, and would not find the new tag in it.
            operations.refresh(argocd.sync.name, argocd.namespace, tools.cluster, is_hard=True)
            states = ApplicationWait(plan, argocd, tools, self._request.options).run()
        results = delivery.outcome(plan, argocd, before, states, tools.cluster)
        if states is not None and operations.are_ready(argocd, states):
            self._done.add(cluster)
        done = sum(result.state.is_good for result in results)
        reporter.stage_finished(STAGE, f"{done} of {counted(len(results), 'component')} through Argo CD")
        return results

    def widen(self) -> None:
        """Let the project permit what all clusters had and are to have."""
        present = self._tools.cluster.get(ObjectId.of(self._project())) or {}
        self._apply(projects.widened(self._project(), projects.rights(present)))

    def narrow(self) -> None:
        """Let the project permit no more than the stack has, once all clusters of the description have it."""
        if self._done == self._described == self._pins.keys():
            self._apply(self._project())

    def _project(self) -> Body:
        """The project for the clusters that are deployed to."""
        granted, bodies = Rights(), []
        for name, plan in self._plans.items():
            step = _argocd(plan).project
            assert step is not None, "cast writes a project for each stack that Argo CD delivers"
            bodies.append(self._tools.reader.read(step.documents[0].decode()))
            granted |= central.rights(bodies[-1], [name])
        return projects.in_namespace(projects.with_rights(bodies[0], granted), self._namespace)

    def _pin(self, cluster: str) -> None:
        """Move the pin of a cluster to its new version."""
        with self._pinning:
            argocd = _argocd(self._plans[cluster])
            root = self._root(argocd)
            self._pins[cluster] = Pin(
                cluster=cluster,
                name=argocd.sync.name,
                path=root["spec"]["source"]["path"],
                revision=argocd.sync.revision,
                step=str(self._steps[cluster]),
            )
            self._apply(self._application_set(root))

    def _application_set(self, root: Body) -> Body:
        pins = sorted(self._pins.values(), key=lambda pin: (int(pin.step), pin.cluster))
        stack = next(iter(self._plans.values())).stack
        if self._request.described is not None:
            return central.application_set(root, stack, pins, at_once=self._request.at_once)
        body = central.application_set(root, stack, pins, at_once=central.at_once(self._there))
        return {**body, "spec": {**body["spec"], "template": self._there["spec"]["template"]}}

    def _root(self, argocd: ArgoCdPlan) -> Body:
        root = self._tools.reader.read(argocd.sync.documents[0].decode())
        return applications.in_namespace(root, argocd.namespace)

    def check(self) -> None:
        """Check that one ApplicationSet is right for all clusters, and has the pins that alone are to move.

        Raises:
            UnknownNameError: if another deployment has taken such a pin away before the lease was held.
            DescriptionError: if environments want another repository, or other settings of the roots.
        """
        if lost := sorted(self._plans.keys() - self._described):
            raise UnknownNameError(
                f"the stack is not delivered to {', '.join(lost)} any more",
                where=str(self._set_id),
                fix="deploy it there",
            )
        sets = {name: self._application_set(self._root(_argocd(plan))) for name, plan in self._plans.items()}
        first = next(iter(sets))
        raise_all(
            DescriptionError(
                f"gitops: `central` needs one repository and the same settings for all clusters, and {first} and {name} have "
                "different ones",
                fix="write `gitops` outside of `environments`",
            )
            for name, body in sets.items()
            if body != sets[first]
        )

    def _apply(self, body: Body) -> None:
        self._tools.cluster.apply(body, ApplyOptions(manager=FIELD_MANAGER))

    def _await_root(self, argocd: ArgoCdPlan) -> None:
        """Wait until the ApplicationSet's controller has moved the root of a cluster.

        Raises:
            DeploymentError: if it does not, with what it says.
        """
        clock, root = self._tools.clock, engine.application_id(argocd.sync.name, argocd.namespace)
        end = clock.monotonic() + self._request.options.timeout
        while True:
            with tolerated(partial(self._tools.reporter.item_waiting, STAGE, argocd.sync.name)):
                spec = mapping((self._tools.cluster.get(root) or {}).get("spec"))
                if mapping(spec.get("source")).get("targetRevision") == argocd.sync.revision:
                    return
            if clock.monotonic() >= end:
                raise DeploymentError(
                    f"Argo CD's ApplicationSet controller has not moved {root} to {argocd.sync.revision}"
                    + "".join(f"; {message}" for message in self._complaints()),
                    where=str(self._set_id),
                    fix="see that it runs (its Deployment is argocd-applicationset-controller), and deploy again",
                )
            clock.sleep(_PAUSE)

    def _complaints(self) -> Iterator[str]:
        status = mapping((self._tools.cluster.get(self._set_id) or {}).get("status"))
        for condition in map(mapping, sequence(status.get("conditions"))):
            if condition.get("type") == "ErrorOccurred" and condition.get("status") == "True":
                yield str(condition.get("message") or "")[:500]

    @property
    def _namespace(self) -> str:
        return _argocd(next(iter(self._plans.values()))).namespace

    @property
    def _set_id(self) -> ObjectId:
        return central.set_id(next(iter(self._plans.values())).stack, self._namespace)


def _argocd(plan: DeployPlan) -> ArgoCdPlan:
    assert plan.argocd is not None, "a stack that a central Argo CD delivers says how"
    return plan.argocd
