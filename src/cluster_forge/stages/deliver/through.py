"""Delivering a cast stack with a plug-in: it gets the folder and the objects, and reports how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.names import counted
from cluster_forge.gitops.parts import in_order
from cluster_forge.manifests.part import Part
from cluster_forge.ports.plugins import DeliveredComponent, DeliveredStack, Deliveries, DeliveryEvent
from cluster_forge.ports.progress import DeliveryReporter
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.options import STAGE

_UNKNOWN: Final = "unknown"
"""The state of a component of which the plug-in said nothing: it may be in the cluster, or not."""
_ENDED: Final = ("done", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThroughRequest:
    """What is delivered, with which plug-in. ``folder`` is the absolute path of the cast stack, ``parts`` have all documents;
    ``patience`` are the seconds without an event after which the plug-in is stopped.
    """

    plugin: str
    folder: str
    deployment: Deployment
    parts: Sequence[Part]
    settings: Mapping[str, str]
    patience: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredPart:
    """How far the plug-in got with a component: a state of `plugin_api.State`, or ``unknown``."""

    name: str
    state: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginDelivery:
    """What became of each component of the stack, by wave and name."""

    stack: str
    plugin: str
    components: tuple[DeliveredPart, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """The components that are not delivered."""
        return tuple(one.name for one in self.components if one.state != "done")


def deliver(request: ThroughRequest, deliveries: Deliveries, reporter: DeliveryReporter) -> PluginDelivery:
    """Hand the stack to the plug-in, and pass its events on.

    Raises:
        PluginError: if it is missing, cannot be loaded, or fails; what it delivered so far stays.
    """
    parts = in_order(request.parts)
    latest = {str(part.name): DeliveredPart(name=str(part.name), state=_UNKNOWN) for part in parts}
    reporter.stage_started(STAGE, len(latest))
    for event in _events(request, parts, deliveries):
        if event.component in latest:
            latest[event.component] = DeliveredPart(name=event.component, state=event.state, message=event.message)
        _report(event, reporter)
    done = PluginDelivery(stack=request.deployment.name, plugin=request.plugin, components=tuple(latest.values()))
    good = len(done.components) - len(done.failed)
    reporter.stage_finished(STAGE, f"{good} of {counted(len(done.components), 'component')} through {request.plugin}")
    return done


def _events(request: ThroughRequest, parts: Sequence[Part], deliveries: Deliveries) -> Iterator[DeliveryEvent]:
    stack = DeliveredStack(
        folder=request.folder,
        name=request.deployment.name,
        environment=request.deployment.plan.environment,
        components=[
            DeliveredComponent(
                name=str(part.name),
                namespace=part.namespace,
                wave=part.wave,
                objects=[known.body for known in part.objects],
            )
            for part in parts
        ],
        settings=request.settings,
    )
    return deliveries.deliver(request.plugin, stack, request.patience)


def _report(event: DeliveryEvent, reporter: DeliveryReporter) -> None:
    if event.state in _ENDED:
        detail = event.message if event.state == "done" else f"failed: {event.message}".rstrip(": ")
        reporter.item_finished(STAGE, event.component, detail)
    elif event.state == "waiting":
        reporter.item_waiting(STAGE, event.component, event.message)
    else:
        reporter.item_started(STAGE, event.component)
