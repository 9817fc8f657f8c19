"""status: how far a cast stack is in a cluster: for each component its version there, whether it is synced and healthy, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cluster_forge.foundation.names import counted
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.release import Release
from cluster_forge.manifests.part import Part
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.look import direct_status, engine_status
from cluster_forge.stages.deliver.look.component_status import ComponentStatus, Sync
from cluster_forge.stages.deliver.tools import DeliverTools

STAGE: Final = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequest:
    """A deployment, and its components with the documents of their objects."""

    deployment: Deployment
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackStatus:
    """The components in the order of the stack; ``version`` is that of the stack, ``release`` the last one in the cluster."""

    stack: str
    version: str
    release: Release | None
    components: tuple[ComponentStatus, ...]

    @property
    def is_healthy(self) -> bool:
        return all(component.is_healthy for component in self.components)

    @property
    def is_synced(self) -> bool:
        """Whether the cluster has everything as the stack has it."""
        return all(component.sync is Sync.SYNCED for component in self.components)

    @property
    def is_good(self) -> bool:
        """Whether the stack is as it was asked for: in the cluster as it was cast, and healthy."""
        return self.is_healthy and self.is_synced


def status(request: StatusRequest, tools: DeliverTools) -> StackStatus:
    """Look at the cluster.

    Raises:
        ClusterError, RefusedError, ExceptionGroup: if the cluster does not say.
        ReleaseError: if a release in it is damaged.
        PreflightError: if the cluster has no Argo CD that is to deliver the stack.
    """
    plan = request.deployment.plan
    tools.reporter.stage_started(STAGE, len(plan.parts))
    destination = plan.argocd.cluster if plan.argocd else ""
    released = releases.listed(tools.cluster, plan.stack, destination)
    release = released[-1] if released else None
    components = tuple(_released(_components(request, tools), plan.parts, release))
    tools.reporter.stage_finished(STAGE, counted(len(components), "component"))
    return StackStatus(stack=plan.stack, version=plan.version, release=release, components=components)


def _components(request: StatusRequest, tools: DeliverTools) -> Iterator[ComponentStatus]:
    """As the engine says it, or the cluster itself."""
    plan = request.deployment.plan
    if plan.delivery is Delivery.DIRECT:
        return direct_status.components(request.parts, tools)
    return engine_status.of_flux(plan, tools) if plan.flux else engine_status.of_argocd(plan, tools)


def _released(
    components: Iterable[ComponentStatus], parts: Iterable[Part], release: Release | None
) -> Iterator[ComponentStatus]:
    """The components, with what the last release says of them."""
    known = {component.name: component for component in release.components} if release else {}
    wanted = {part.name: releases.component(part) for part in parts}
    for component in components:
        deployed = known.get(component.name)
        if release is None or not known:
            yield component
        elif deployed is None:
            yield _behind(component, f"release {release.number} does not have it")
        elif deployed.digest != wanted[component.name].digest:
            yield _behind(
                replace(component, deployed=deployed.version), f"release {release.number} has other objects of it"
            )
        else:
            yield replace(component, deployed=deployed.version)


def _behind(component: ComponentStatus, message: str) -> ComponentStatus:
    return replace(component, sync=Sync.OUT_OF_SYNC, messages=(*component.messages, message))
