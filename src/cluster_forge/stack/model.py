"""The stack that a description describes, with every name resolved and every default filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.foundation.names import ComponentName
from cluster_forge.oci.compression import Compression
from cluster_forge.oci.reference import ImageReference
from cluster_forge.stack.registry_settings import RegistrySettings

Values = Mapping[str, Any]
"""Helm values: a JSON object."""

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
    """The Secret with Flux's login to the repository."""
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
class HelmSource:
    """A chart. Without ``repository``, ``chart`` is a folder or ``.tgz`` relative to ``input/``; in a Git repository, a folder
    below the path of its address.

    ``version`` is exact or a range in Helm's syntax; empty means the newest stable version.
    """

    chart: str
    release: str
    repository: str = ""
    version: str = ""
    skip_schema: bool = False
    """Whether to skip checking the values against the chart's ``values.schema.json``."""

    @property
    def is_local(self) -> bool:
        return not self.repository

    @property
    def git(self) -> GitAddress | None:
        """The chart's folder in Git, if it is there."""
        return GitAddress.parse(self.repository).below(self.chart) if is_git(self.repository) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class KustomizeSource:
    """A kustomization: its folder, relative to ``input/``, or its address in Git.

    ``files`` are all files that kustomize reads of one in ``input/``, by their paths in the workspace; ``remotes``
    are the addresses of the resources and bases that it names elsewhere, by the texts that name them.
    """

    path: str
    files: tuple[str, ...] = ()
    remotes: Mapping[str, str] = field(default_factory=dict)

    @property
    def git(self) -> GitAddress | None:
        """Its folder in Git, if it is there."""
        return GitAddress.parse(self.path) if is_git(self.path) else None

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of ``remotes``."""
        return tuple(sorted(set(self.remotes.values())))

    @property
    def folder(self) -> str:
        """Its folder in ``input/`` or in the repository, which may hold other kustomizations."""
        return self.git.path if self.git else self.path

    def __str__(self) -> str:
        """The path, or the address without credentials."""
        return str(self.git or self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The source of a folder of rendered manifests; the legacy format has it in ``source.yaml``.

    ``mine`` renders ``helm`` with ``values`` (or downloads ``manifests``) into ``folder`` (relative to ``input/``) without
    the files in ``exclude``. ``smelt`` reads the folder and does not need the source.
    """

    folder: str
    namespace: str = ""
    helm: HelmSource | None = None
    manifests: tuple[str, ...] = ()
    values: Values = field(default_factory=dict)
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSecret:
    """A Secret that must exist before deployment: its keys, each with a description, and its purpose."""

    name: str
    namespace: str
    keys: Mapping[str, str]
    purpose: str = ""


class FilesKind(StrEnum):
    """A kind of object that can have the content of files."""

    CONFIG_MAP = "ConfigMap"
    SECRET = "Secret"  # noqa: S105 - a kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOfFiles:
    """A ConfigMap or Secret with the content of files: ``files`` are their paths in the workspace, by key.

    ``type`` is that of a Secret; ``where`` is the ``file:line`` of its description.
    """

    kind: FilesKind
    name: str
    files: Mapping[str, str]
    namespace: str = ""
    type: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullPlace:
    """The ``file:line`` of a value that is null, and the keys that lead to it."""

    keys: tuple[str, ...]
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A component of the stack: its sources, values and namespace.

    ``values`` are the merged values for the chart. ``manifests`` are URLs, and files and folders relative to ``input/``.
    ``exclude`` has the objects to leave out, by the name of their file in ``working/`` or, as in the legacy format, by
    ``Kind_name.yaml``. ``where`` is the ``file:line`` of the component's definition.
    """

    name: ComponentName
    namespace: str = ""
    extra_namespaces: tuple[str, ...] = ()
    wave: int | None = None
    has_own_wave: bool = False
    """Whether the description itself sets the wave, and not the catalog."""
    needs: tuple[ComponentName, ...] = ()
    helm: HelmSource | None = None
    kustomize: KustomizeSource | None = None
    manifests: tuple[str, ...] = ()
    values: Values = field(default_factory=dict)
    null_places: tuple[NullPlace, ...] = field(default=(), compare=False)
    """The values that a layer sets to null."""
    exclude: tuple[str, ...] = ()
    keep_namespace: bool = False
    later_replaces: bool = False
    """A later entry of ``manifests`` replaces the same object of an earlier one; otherwise that is a duplicate."""
    upstream: Upstream | None = None
    objects: tuple[Mapping[str, Any], ...] = ()
    """Kubernetes objects in the description itself."""
    object_places: tuple[str, ...] = field(default=(), compare=False)
    """The ``file:line`` of each of ``objects``."""
    objects_of_files: tuple[ObjectOfFiles, ...] = ()
    """Its ConfigMaps and Secrets with the content of files."""
    pod_security: str = ""
    """The Pod Security level of its namespace; empty if not set."""
    secrets: tuple[ExpectedSecret, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A finding that the description ignores, with the reason. Empty fields match everything."""

    code: str
    reason: str
    component: str = ""
    object: str = ""
    where: str = ""


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
    ignores: tuple[Ignore, ...] = ()
    capabilities: tuple[str, ...] = ()
    registries: tuple[RegistrySettings, ...] = ()
    environment: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        """Whether names, ``--select`` or ``--skip`` leave out components: a narrowed stack never prunes (ADR 0022)."""
        return bool(self.left_out)

    def component(self, name: str) -> Component:
        """The component called ``name``.

        Raises:
            KeyError: if the stack has no component of that name.
        """
        for component in self.components:
            if component.name == name:
                return component
        raise KeyError(name)
