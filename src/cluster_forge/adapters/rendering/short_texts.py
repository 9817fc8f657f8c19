"""Short texts read in this process, where that is safe: a process that renders takes longer to start than to read them."""

from __future__ import annotations

from collections.abc import Callable

from cluster_forge.adapters.rendering import documents
from cluster_forge.adapters.rendering.documents import DocumentReader
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.manifests import batch
from cluster_forge.ports.rendering import RenderedBatch, Renderer, RenderJob, YamlReader

_MOST = 64 * 1024
"""Bytes of the texts of a job."""


class ShortTextsRenderer:
    """`ports.Renderer` that reads the texts of a job with ``reader`` if they are short and each document ``is_harmless``: reading it
    takes time and memory in proportion to its length. ``renderer`` renders everything else.
    """

    def __init__(self, renderer: Renderer, reader: YamlReader, is_harmless: Callable[[str], bool]) -> None:
        self._renderer = renderer
        self._is_harmless = is_harmless
        self._reader = reader

    @property
    def version(self) -> str:
        return self._renderer.version

    def render(self, job: RenderJob) -> RenderedBatch:
        if job.chart is not None or sum(len(content) for _, content in job.texts) > _MOST:
            return self._renderer.render(job)
        try:
            texts = list(documents.of_texts(job.texts))
        except ForgeError:
            return self._renderer.render(job)
        if not all(self._is_harmless(document.text) for document, _ in texts):
            return self._renderer.render(job)
        return RenderedBatch(content=batch.pack(DocumentReader(self._reader).manifests(texts, job)))

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        return self._renderer.required_apis(chart)

    def release(self) -> None:
        self._renderer.release()
