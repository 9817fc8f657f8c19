"""A stack as its user described it, every name resolved and every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cluster_forge.foundation.names import ComponentName
from cluster_forge.oci.compression import Compression

Values = Mapping[str, Any]
"""Helm values: a JSON object."""


class Size(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class GitOpsEngine(StrEnum):
    ARGOCD = "argocd"
    FLUX = "flux"
    NONE = "none"


class GitOpsMode(StrEnum):
    UI = "ui"
    HEADLESS = "headless"


class RepositorySource(StrEnum):
    INTERNAL = "internal"
    EXTERNAL = "external"
    OCI = "oci"


class Architecture(StrEnum):
    AMD64 = "amd64"
    ARM64 = "arm64"


@dataclass(frozen=True, slots=True, order=True)
class KubernetesVersion:
    """A Kubernetes version, ``1.33`` or ``1.33.2``; one without a patch means the first of its line."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def parse(cls, text: str) -> KubernetesVersion:
        """Read ``1.33``, ``v1.33`` or ``1.33.2``.

        Raises:
            ValueError: for anything else.
        """
        parts = text.removeprefix("v").split(".")
        if len(parts) not in (2, 3) or not all(part.isdigit() for part in parts):
            raise ValueError(f"not a Kubernetes version: {text!r}")
        return cls(*map(int, parts))

    def __str__(self) -> str:
        """As Helm's Capabilities give it: ``v1.33.0``."""
        return f"v{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """``count`` nodes alike; quantities as Kubernetes writes them."""

    count: int = 1
    cpu: str = ""
    memory: str = ""
    storage: str = ""
    resources: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The cluster that the stack is built for."""

    kubernetes: KubernetesVersion = KubernetesVersion(1, 33)
    size: Size = Size.SMALL
    architectures: tuple[Architecture, ...] = (Architecture.AMD64, Architecture.ARM64)
    nodes: tuple[Node, ...] = ()
    domain: str = ""
    """The DNS domain below which user interfaces are reachable; empty: nothing is made reachable."""
    provides: tuple[str, ...] = ()
    """Capabilities that the cluster has by itself, like ``storage-class``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitOps:
    """How the stack gets into the cluster and stays there."""

    engine: GitOpsEngine = GitOpsEngine.ARGOCD
    mode: GitOpsMode = GitOpsMode.UI
    install: bool = True
    source: RepositorySource = RepositorySource.INTERNAL
    persistent: bool = False
    url: str = ""
    finalizers: bool = False
    """Whether Argo CD deletes a component's objects with its Application (off: they are orphaned and stay)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSettings:
    """Where the stack's OCI image is bound for and how its layer is packed."""

    repository: str = ""
    compression: Compression = Compression.GZIP
    base: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelmSource:
    """A chart. Without ``repository``, ``chart`` is a folder or ``.tgz`` relative to ``input/``.

    ``version`` is exact or a range as Helm reads it; empty means the newest stable one.
    """

    chart: str
    release: str
    repository: str = ""
    version: str = ""
    skip_schema: bool = False
    """Whether the values are not checked against the chart's ``values.schema.json``."""

    @property
    def is_local(self) -> bool:
        return not self.repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """How a folder of already rendered manifests is made anew: what the first format keeps in ``source.yaml``.

    ``mine`` renders ``helm`` (or fetches ``manifests``) with ``values`` into ``folder`` (relative to ``input/``) and
    leaves out the files named in ``exclude``; ``smelt`` reads the folder and never needs the source.
    """

    folder: str
    namespace: str = ""
    helm: HelmSource | None = None
    manifests: tuple[str, ...] = ()
    values: Values = field(default_factory=dict)
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSecret:
    """A Secret that somebody has to make: its keys and what each is, and what it is for."""

    name: str
    namespace: str
    keys: Mapping[str, str]
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One unit of the stack: what it is made from, with which values, and where it goes.

    ``values`` are what the chart gets, every layer merged. ``manifests`` are URLs, and files and folders relative to
    ``input/``. ``exclude`` names objects that are left out, by the file name that they would be written to or, as the
    first format calls them, ``Kind_name.yaml``. ``where`` is the ``file:line`` of the component's description.
    """

    name: ComponentName
    namespace: str = ""
    extra_namespaces: tuple[str, ...] = ()
    wave: int | None = None
    needs: tuple[ComponentName, ...] = ()
    helm: HelmSource | None = None
    manifests: tuple[str, ...] = ()
    values: Values = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    keep_namespace: bool = False
    later_replaces: bool = False
    """A later entry of ``manifests`` replaces an equal object of an earlier one (else it is a duplicate)."""
    upstream: Upstream | None = None
    objects: tuple[Mapping[str, Any], ...] = ()
    """Kubernetes objects that the description itself holds."""
    pod_security: str = ""
    """The Pod Security level of its namespace, empty where nobody says one."""
    secrets: tuple[ExpectedSecret, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A finding that the description silences, with its reason; empty fields match everything."""

    code: str
    reason: str
    component: str = ""
    object: str = ""
    where: str = ""


class Format(StrEnum):
    """How a description is written: natively, or as the first implementation's list."""

    NATIVE = "native"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something about the description that its user should know and that is no error."""

    code: str
    message: str
    component: str = ""
    where: str = ""
    is_warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What is asked for. ``components`` are in the order in which the description names them, each once."""

    name: str
    target: Target = Target()
    gitops: GitOps = GitOps()
    image: ImageSettings = ImageSettings()
    components: tuple[Component, ...] = ()
    ignores: tuple[Ignore, ...] = ()

    def component(self, name: str) -> Component:
        """The component called ``name``.

        Raises:
            KeyError: if the stack has none of that name.
        """
        for component in self.components:
            if component.name == name:
                return component
        raise KeyError(name)
