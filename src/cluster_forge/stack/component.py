"""One component of a stack: its sources, values, Secrets and objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.foundation.names import ComponentName
from cluster_forge.stack.changes import Changes
from cluster_forge.stack.named_values import NamedValues
from cluster_forge.stack.operated_kind import OperatedKind
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stack.referring_kind import ReferringKind

Values = Mapping[str, Any]
"""Helm values: a JSON object."""


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
class AcceptedFinding:
    """A finding code that is accepted for objects, by patterns like ``Deployment/web*``."""

    code: str
    objects: tuple[str, ...]
    reason: str


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
    names: NamedValues | None = None
    """What ``${…}`` in the files of ``manifests`` stands for; None where it is text like any other."""
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
    operates: tuple[OperatedKind, ...] = ()
    refers_to: tuple[ReferringKind, ...] = ()
    """The kinds of objects for which it creates others at run time."""
    made_secrets: tuple[str, ...] = ()
    """The Secrets in its namespace that its programs create at run time."""
    accepts: tuple[AcceptedFinding, ...] = ()
    """The warnings about its objects that its author accepts."""
    changes: Changes = field(default_factory=Changes)
    """What the description changes in its objects."""
    transformers: tuple[PluginUse, ...] = ()
    """What changes its objects, after the stack's own."""
    where: str = ""
