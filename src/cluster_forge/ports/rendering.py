"""From charts and YAML texts to Kubernetes objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cluster_forge.foundation.names import ComponentName
from cluster_forge.stack.model import KubernetesVersion, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """What Helm is asked to render: an archive (``.tgz`` bytes), values, release, namespace and Capabilities."""

    chart: bytes
    values: Values
    release: str
    namespace: str
    kubernetes: KubernetesVersion
    api_versions: Sequence[str]
    skip_schema: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedChart:
    """What Helm made of it.

    ``templates`` holds the text of each template by its path, in Helm's order, ``NOTES.txt`` left out; ``crds`` the
    files of ``crds/`` folders, those of switched-off dependencies left out.
    """

    templates: Mapping[str, str]
    crds: Sequence[tuple[str, str]]
    notes: str


class HelmEngine(Protocol):
    """Helm's own rendering."""

    @property
    def version(self) -> str:
        """The engine and its version: part of every fingerprint."""

    def render(self, request: RenderRequest) -> RenderedChart:
        """Render one chart; safe to call from several threads.

        Raises:
            RenderError: the chart's own complaint: template, values schema, ``kubeVersion``.
            ArchiveError: if the archive is no chart.
        """

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        """The API versions that a chart's templates ask the cluster for; None where they cannot be told.

        Raises:
            ArchiveError: if it is no archive.
        """

    def newest_in_range(self, constraint: str, versions: Sequence[str]) -> str | None:
        """The newest of ``versions`` that fits ``constraint`` as Helm reads it (pre-releases only when asked for).

        Raises:
            DescriptionError: if ``constraint`` is no version range.
        """


class YamlReader(Protocol):
    """YAML as Kubernetes reads it (``sigs.k8s.io/yaml``): one document in, JSON out."""

    def read(self, document: str) -> Any:
        """The document's value; None for an empty one. Integers are exact.

        Raises:
            ManifestError: if it is not YAML; the message has the line within the document.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """Objects to be made for a component: of a chart, or of ``texts``, each with the file or URL that it stands in.

    ``where`` is the component's place in the description.
    """

    component: ComponentName
    where: str = ""
    chart: RenderRequest | None = None
    texts: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedBatch:
    """Objects as bytes (`cluster_forge.manifests.batch`); ``is_cached`` where they did not have to be made."""

    content: bytes
    is_cached: bool = False


class Renderer(Protocol):
    """Makes objects of charts and texts. Safe to call from several threads."""

    @property
    def version(self) -> str:
        """The engine that renders and its version: part of every fingerprint."""

    def render(self, job: RenderJob) -> RenderedBatch:
        """Render the chart, or read the texts.

        Raises:
            RenderError: the chart's own complaint; or it takes more time or memory than it may have.
            ArchiveError: if the archive is no chart.
            ManifestError, ExceptionGroup: one for each document that is not YAML or no Kubernetes object.
        """

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        """The API versions that a chart's templates ask the cluster for; None where they cannot be told.

        Raises:
            ArchiveError: if it is no archive.
        """
