"""Rendering in this process: a chart is rendered, or texts are taken as they are; then every document is read."""

from __future__ import annotations

from dataclasses import replace

from cluster_forge.adapters.rendering import chart_defaults, chart_tree, chart_warnings, documents, null_values
from cluster_forge.adapters.rendering.documents import DocumentReader, Documents
from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.errors import ArchiveError, ForgeError
from cluster_forge.manifests import batch, split
from cluster_forge.ports.rendering import (
    HelmEngine,
    RenderedBatch,
    RenderedChart,
    RenderJob,
    RenderRequest,
    YamlReader,
)


class InProcessRenderer:
    """`ports.Renderer` on an engine and a reader."""

    def __init__(self, engine: HelmEngine, reader: YamlReader) -> None:
        self._engine = engine
        self._reader = reader
        self._documents = DocumentReader(reader)

    @property
    def version(self) -> str:
        return self._engine.version

    def render(self, job: RenderJob) -> RenderedBatch:
        if job.chart is None:
            return RenderedBatch(content=batch.pack(self._documents.manifests(documents.of_texts(job.texts), job)))
        try:
            rendered = self._rendered(job.chart)
        except ForgeError as error:
            message = f"component {job.component}: {error.message}"
            null = null_values.find(error.message, job.chart.values)
            place = job.null_places.get(null.keys, job.where) if null else job.where
            fix = null.fix if null else error.fix
            raise type(error)(message, where=error.where or place, fix=fix) from error
        return RenderedBatch(
            content=batch.pack(self._documents.manifests(_chart_documents(rendered), job), rendered.remarks)
        )

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        return self._engine.required_apis(chart)

    def release(self) -> None:
        self._documents.forget()

    def _rendered(self, request: RenderRequest) -> RenderedChart:
        """What Helm renders and warns of, the same with each version of Helm (see `chart_defaults`)."""
        try:
            archive = chart_archives.opened(request.chart)
            chart = chart_tree.read(archive, self._reader)
            archive, values = chart_defaults.explicit(archive, chart, request.values)
            remarks = chart_warnings.remarks(chart, request.values)
        except (ForgeError, RecursionError) as error:
            self._engine.render(request)  # Helm's own message says more
            reason = "nesting too deep" if isinstance(error, RecursionError) else error
            raise ArchiveError(f"not a chart: {reason}", fix="check the chart with `helm lint`") from error
        rendered = self._engine.render(replace(request, values=values), archive)
        return replace(rendered, remarks=(*remarks, *rendered.remarks))


def _chart_documents(chart: RenderedChart) -> Documents:
    """The documents of a rendered chart: those of its templates, then those of its ``crds/`` directories."""
    for path, text in chart.templates.items():
        for document in split.rendered(text):
            yield document, path
    for path, text in chart.crds:
        for document in split.written(text):
            yield document, path
