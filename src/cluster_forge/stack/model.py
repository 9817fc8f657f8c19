"""The stack that a description describes, with every name resolved and every default filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cluster_forge.oci.compression import Compression
from cluster_forge.oci.reference import ImageReference
from cluster_forge.stack.changes import Changes
from cluster_forge.stack.component import AcceptedFinding, Component
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stack.registry_settings import RegistrySettings

_KUBERNETES: Final = re.compile(
    r"v?([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4})((?:-[0-9A-Za-z.-]*[0-9A-Za-z])?(?:\+[0-9A-Za-z.-]*[0-9A-Za-z])?))?\Z"
)


class Size(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class GitOpsEngine(StrEnum):
    ARGOCD = "argocd"
    FLUX = "flux"
    NONE = "none"

    @property
    def api_group(self) -> str:
        """The API group of its own kinds, the capability that its component provides; empty for kubectl alone."""
        return _ENGINE_GROUPS.get(self, "")


_ENGINE_GROUPS: Final = {GitOpsEngine.ARGOCD: "argoproj.io", GitOpsEngine.FLUX: "kustomize.toolkit.fluxcd.io"}


class GitOpsMode(StrEnum):
    UI = "ui"
    HEADLESS = "headless"


class RepositorySource(StrEnum):
    INTERNAL = "internal"
    EXTERNAL = "external"
    OCI = "oci"
    IMAGE = "image"


class Architecture(StrEnum):
    AMD64 = "amd64"
    ARM64 = "arm64"


@dataclass(frozen=True, slots=True, order=True)
class KubernetesVersion:
    """A Kubernetes version, ``1.33``, ``1.33.2`` or a distribution's ``v1.33.4-gke.100``; without a patch number, patch 0.

    ``suffix`` is a pre-release or build with its separator: ``-gke.100``, ``+k3s1``.
    """

    major: int
    minor: int
    patch: int = 0
    suffix: str = ""

    @classmethod
    def parse(cls, text: str) -> KubernetesVersion:
        """Read ``1.33``, ``v1.33``, ``1.33.2`` or ``v1.33.4+k3s1``.

        Raises:
            ValueError: for anything else.
        """
        match = _KUBERNETES.match(text)
        if not match:
            raise ValueError(f"not a Kubernetes version: {text!r}")
        major, minor, patch, suffix = match.groups()
        return cls(int(major), int(minor), int(patch or 0), suffix or "")

    @property
    def release(self) -> str:
        """The version of Kubernetes itself, as Helm compares it with ``kubeVersion``: ``v1.33.4``."""
        return f"v{self.major}.{self.minor}.{self.patch}"

    def __str__(self) -> str:
        """As in Helm's Capabilities: ``v1.33.0``, ``v1.33.4-gke.100``."""
        return f"{self.release}{self.suffix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """``count`` equal nodes; sizes are Kubernetes quantities."""

    count: int = 1
    cpu: str = ""
    memory: str = ""
    storage: str = ""
    resources: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()
    pods: int = 110
    """Pods that one node takes, the kubelet's ``maxPods``."""
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The cluster that the stack is built for."""

    kubernetes: KubernetesVersion = KubernetesVersion(1, 33)
    size: Size = Size.SMALL
    architectures: tuple[Architecture, ...] = (Architecture.AMD64, Architecture.ARM64)
    nodes: tuple[Node, ...] = ()
    domain: str = ""
    """The DNS domain under which user interfaces are reachable; if empty, they are not exposed."""
    provides: tuple[str, ...] = ()
    """Capabilities that the cluster has already, like ``storage-class``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitOps:
    """How the stack is deployed and kept in sync."""

    engine: GitOpsEngine = GitOpsEngine.ARGOCD
    engine_where: str = ""
    """Where the engine is written; empty for the default."""
    default_where: str = field(default="", compare=False)
    """Where a description without an engine has a place for it."""
    mode: GitOpsMode = GitOpsMode.UI
    install: bool = True
    source: RepositorySource = RepositorySource.INTERNAL
    persistent: bool = False
    url: str = ""
    path: str = ""
    """The folder of the repository of an external source that holds the stack; empty: all of it."""
    branch: str = "main"
    """The branch of the repository that the stack is pushed to."""
    secret: str = ""
    """The Secret with the engine's login to the repository."""
    finalizers: bool = False
    """Whether deleting the root Application in Argo CD deletes all others, and what they have applied."""

    @property
    def required(self) -> str:
        """The capability that the stack itself must bring: the engine that the description names and installs.

        Empty where the cluster has the engine, where kubectl applies the stack, and where no engine is written.
        """
        return self.engine.api_group if self.engine_where and self.install else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSettings:
    """The repository and the compression of the stack's OCI image, and the image that it is built upon."""

    repository: str = ""
    compression: Compression = Compression.GZIP
    base: ImageReference | None = None
    base_where: str = ""
    """Where the base is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A finding that the description ignores, with the reason. Empty fields match everything."""

    code: str
    reason: str
    component: str = ""
    object: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPolicy:
    """What the description makes of findings: those that it ignores, and the codes whose warnings are errors.

    ``errors`` has the place of each code in the description; ``accepted`` is what components accept, by their names.
    """

    ignores: tuple[Ignore, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    accepted: Mapping[str, tuple[AcceptedFinding, ...]] = field(default_factory=dict)


class Format(StrEnum):
    """The format of a description: native, or a list in the legacy format."""

    NATIVE = "native"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A remark on the description that is not an error."""

    code: str
    message: str
    component: str = ""
    where: str = ""
    is_warning: bool = False
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The stack. ``components`` are unique, in the order in which the description names them.

    ``environment`` is the one that was applied; ``left_out`` are the components that the selection leaves out.
    ``capabilities`` are those of its catalog components, of ``target.provides`` and of the target's distribution, sorted.
    """

    name: str
    target: Target = Target()
    gitops: GitOps = GitOps()
    image: ImageSettings = ImageSettings()
    components: tuple[Component, ...] = ()
    finding_policy: FindingPolicy = FindingPolicy()
    capabilities: tuple[str, ...] = ()
    registries: tuple[RegistrySettings, ...] = ()
    changes: Changes = field(default_factory=Changes)
    """What the description changes in the objects of all components."""
    transformers: tuple[PluginUse, ...] = ()
    """What changes the objects of every component."""
    checks: tuple[PluginUse, ...] = ()
    """The plug-ins that check the stack."""
    environment: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        """Whether names, ``--select`` or ``--skip`` leave out components: a narrowed stack never prunes (ADR 0022)."""
        return bool(self.left_out)

    @property
    def has_changes(self) -> bool:
        """Whether the description changes anything in rendered objects."""
        return bool(self.changes) or any(component.changes for component in self.components)

    @property
    def transforming(self) -> tuple[PluginUse, ...]:
        """All plug-ins and functions that change objects: the stack's, then those of each component."""
        return (*self.transformers, *(use for component in self.components for use in component.transformers))

    def component(self, name: str) -> Component:
        """The component called ``name``.

        Raises:
            KeyError: if the stack has no component of that name.
        """
        for component in self.components:
            if component.name == name:
                return component
        raise KeyError(name)
