"""From charts and YAML texts to Kubernetes objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.remark import Remark
from cluster_forge.stack.component import Values
from cluster_forge.stack.model import KubernetesVersion

if TYPE_CHECKING:  # who only passes requests on needs no archives
    from cluster_forge.foundation.chart_archives import ChartArchive


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """What Helm renders: an archive (``.tgz`` bytes) with values, release, namespace and Capabilities. Of requests that differ in
    ``draw`` only, each is rendered by itself: a chart may draw something else.
    """

    chart: bytes
    values: Values
    release: str
    namespace: str
    kubernetes: KubernetesVersion
    api_versions: Sequence[str]
    skip_schema: bool = False
    draw: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedChart:
    """What Helm rendered.

    ``templates`` has the text of each template but ``NOTES.txt``, by its path and in Helm's order; ``crds`` has the files
    of ``crds/`` folders, without those of disabled dependencies. ``remarks``: in what the engine cannot do as requested.
    """

    templates: Mapping[str, str]
    crds: Sequence[tuple[str, str]]
    remarks: tuple[Remark, ...] = ()


class HelmEngine(Protocol):
    """Helm's own rendering."""

    @property
    def version(self) -> str:
        """The engine and its version: part of every fingerprint."""

    def render(self, request: RenderRequest, chart: ChartArchive | None = None) -> RenderedChart:
        """Render one chart; safe to call from several threads. ``chart``: instead of the request's, already unpacked.

        Raises:
            RenderError: the chart's own message: template, values schema, ``kubeVersion``.
            ArchiveError: if the archive is not a chart.
        """

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        """The API versions that a chart's templates ask the cluster for; None if they cannot be determined.

        Raises:
            ArchiveError: if it is not an archive.
        """

    def newest_in_range(self, constraint: str, versions: Sequence[str]) -> str | None:
        """The newest of ``versions`` in the range ``constraint`` as Helm reads it: pre-releases only if it names one.

        Raises:
            DescriptionError: if ``constraint`` is not a version range.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """A document's value, and the paths of keys that stand twice in one of its mappings, each with its line.

    ``written`` has some entries of the value as YAML, as `manifests.emitter` writes them with sorted keys.
    """

    value: Any
    repeated_keys: tuple[str, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)


class YamlReader(Protocol):
    """YAML as Kubernetes reads it (``sigs.k8s.io/yaml``): one document in, JSON out."""

    def read(self, document: str) -> Any:
        """The document's value; None for an empty one. Integers are exact.

        Raises:
            ManifestError: if it is not YAML; the message has the line in the document.
        """

    def examine(self, document: str) -> YamlDocument:
        """The same, with what the value does not show.

        Raises:
            ManifestError: as `read`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """Objects to render for a component: from a chart, or from ``texts``, each with its file or URL.

    ``where`` is the component's place in the description, ``null_places`` those of its values that are null, by their keys.
    """

    component: ComponentName
    where: str = ""
    null_places: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    chart: RenderRequest | None = None
    texts: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedBatch:
    """The objects of a job as bytes (`cluster_forge.manifests.batch`); ``is_cached``: they came from the cache."""

    content: bytes
    is_cached: bool = False


class Renderer(Protocol):
    """Renders objects from charts and texts. Safe to call from several threads."""

    @property
    def version(self) -> str:
        """The engine and its version: part of every fingerprint."""

    def render(self, job: RenderJob) -> RenderedBatch:
        """Render the chart, or read the texts.

        Raises:
            RenderError: the chart's own message, or that it exceeds the limit of time or memory.
            ArchiveError: if the archive is not a chart.
            ManifestError, ExceptionGroup: for each document that is not YAML or not a Kubernetes object.
        """

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        """The API versions that a chart's templates ask the cluster for; None if they cannot be determined.

        Raises:
            ArchiveError: if it is not an archive.
        """

    def release(self) -> None:
        """End the processes of the renderer and forget what it remembers: no job is expected soon, but may still come."""
