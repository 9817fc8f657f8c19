"""Plug-ins that are installed beside this program, and functions: programs in a workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Body
from cluster_forge.stack.plugin_uses import PluginUse


class PluginKind(StrEnum):
    """The four kinds, each as its group of entry points ends: ``cluster_forge.transformers``."""

    TRANSFORMER = "transformers"
    CHECK = "checks"
    SOURCE = "sources"
    DELIVERY = "deliveries"

    @property
    def noun(self) -> str:
        """One of the kind, in a message."""
        return _NOUNS[self]


_NOUNS = {
    PluginKind.TRANSFORMER: "transformer",
    PluginKind.CHECK: "check",
    PluginKind.SOURCE: "source",
    PluginKind.DELIVERY: "delivery",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledPlugin:
    """A plug-in, and the package that brings it. ``api_version`` is None where it was not loaded: ``problem`` says why."""

    kind: PluginKind
    name: str
    package: str
    version: str
    api_version: int | None = None
    summary: str = ""
    problem: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginContext:
    """What the stack says to a plug-in (`plugin_api.Context`); ``component`` is empty where the whole stack is meant."""

    stack: str
    environment: str
    kubernetes: str
    size: str
    component: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFinding:
    """A finding of a plug-in or a function; ``object`` has the ``apiVersion``, ``kind``, ``namespace`` and ``name`` of one."""

    code: str
    severity: Severity
    message: str
    object: Mapping[str, str] | None = None
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformTask:
    """The objects of one component."""

    context: PluginContext
    objects: Sequence[Body]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformed:
    """What became of them. The objects are JSON, but maybe no Kubernetes objects."""

    objects: Sequence[Any]
    findings: Sequence[PluginFinding] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedObject:
    """An object of the stack, its component and its wave."""

    component: str
    wave: int
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEvent:
    """How far the delivery of a component is: ``state`` is one of `plugin_api.State`."""

    component: str
    state: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredComponent:
    """A component that a delivery plug-in gets, with its objects in the order in which they are applied."""

    name: str
    namespace: str
    wave: int
    objects: Sequence[Body]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredStack:
    """A cast stack that a delivery plug-in gets; ``settings`` are what the user gave with ``--with``."""

    folder: str
    name: str
    environment: str
    components: Sequence[DeliveredComponent]
    settings: Mapping[str, str] = field(default_factory=dict)


class Plugins(Protocol):
    """The plug-ins that are installed beside this program. Each runs in a process of its own, within limits.

    All methods raise PluginError for one that is not installed, cannot be loaded, or fails.
    """

    def installed(self) -> Sequence[InstalledPlugin]:
        """All of them, by kind and name, each loaded once to see whether that works."""

    def identity(self, kind: PluginKind, use: PluginUse) -> str:
        """The package, its version, and a digest over its files and the versions of what it requires."""

    def transform(
        self, use: PluginUse, files: Mapping[str, bytes], tasks: Sequence[TransformTask]
    ) -> Sequence[Transformed]:
        """The result of each task, in their order, from one process."""

    def check(
        self, use: PluginUse, files: Mapping[str, bytes], context: PluginContext, objects: Sequence[CheckedObject]
    ) -> Sequence[PluginFinding]:
        """What the plug-in finds."""


class Functions(Protocol):
    """KRM functions: programs in the workspace, which run only where their user agreed to their digest."""

    def run(self, use: PluginUse, program: bytes, task: TransformTask) -> Transformed:
        """The result of the function.

        Raises:
            PluginError: if its user has not agreed to run it, or it fails.
        """


class Deliveries(Protocol):
    """The plug-ins that deliver a cast stack."""

    def deliver(self, name: str, stack: DeliveredStack, patience: float) -> Iterator[DeliveryEvent]:
        """The events of the delivery, as they come; ``patience`` are the seconds without one after which it is stopped.

        Raises:
            PluginError: if it fails.
        """
