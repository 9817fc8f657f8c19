"""Objects made here and now: a chart is rendered, or texts are taken as they are; then every document is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import orjson

from cluster_forge.foundation.errors import ForgeError, ManifestError, raise_all
from cluster_forge.manifests import batch, normalize, split
from cluster_forge.manifests.manifest import Document, Manifest, Provenance
from cluster_forge.ports.rendering import HelmEngine, RenderedBatch, RenderedChart, RenderJob, RenderRequest, YamlReader

_MOST_ERRORS = 100
"""Nobody mends more of one component at a time."""

_MOST_KNOWN = 32 << 20
"""Bytes, about, of what is kept in mind: several large charts."""

_EACH_KNOWN = 5000
"""Bytes, about, that a document takes besides its text and what it was made into."""

Documents = Iterable[tuple[split.Document, str]]
"""Documents, each with the file, template or URL that it stands in."""


class InProcessRenderer:
    """`ports.Maker` on an engine and a reader."""

    def __init__(self, engine: HelmEngine, reader: YamlReader) -> None:
        self._engine = engine
        self._reader = reader
        self._known = _Known()

    @property
    def version(self) -> str:
        return self._engine.version

    def render(self, job: RenderJob) -> RenderedBatch:
        texts = _of_chart(self._rendered(job, job.chart)) if job.chart else _of_texts(job.texts)
        return RenderedBatch(content=batch.pack(self._read(texts, job)))

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        return self._engine.required_apis(chart)

    def _rendered(self, job: RenderJob, chart: RenderRequest) -> RenderedChart:
        try:
            return self._engine.render(chart)
        except ForgeError as error:
            message = f"component {job.component}: {error.message}"
            raise type(error)(message, where=error.where or job.where, fix=error.fix) from error

    def _read(self, documents: Documents, job: RenderJob) -> tuple[Manifest, ...]:
        found: list[Manifest] = []
        errors: list[ForgeError] = []
        for document, origin in documents:
            if len(errors) == _MOST_ERRORS:
                break
            where = f"{origin}:{document.line}"
            provenance = Provenance(component=job.component, origin=where)
            try:
                known = self._known.get(document.text)
                if known is None:
                    objects = list(normalize.objects(self._reader.read(document.text), provenance))
                    known = self._known.put(document.text, [_written(each) for each in objects])
                found += (replace(each, provenance=provenance) for each in known)
            except ManifestError as error:
                place = f"component {job.component}: "
                message = error.message if error.message.startswith(place) else place + error.message
                errors.append(ManifestError(message, where=error.where or where, fix=error.fix))
            except (RecursionError, orjson.JSONEncodeError, UnicodeError) as error:
                reason = (
                    "nested deeper than anybody reads" if "ecursion" in str(error) else f"no JSON holds it: {error}"
                )
                message = f"component {job.component}: {reason}"
                errors.append(ManifestError(message, where=where, fix="mend the document, or leave it out"))
        raise_all(errors)
        return tuple(found)


class _Known:
    """What was made of the last texts: charts list a CRD's file twice, and most of a chart that is rendered again (for the
    APIs of others, another size, another version of Kubernetes) is what it was. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._made: dict[str, list[Manifest]] = {}
        self._size = 0

    def get(self, text: str) -> list[Manifest] | None:
        return self._made.get(text)

    def put(self, text: str, made: list[Manifest]) -> list[Manifest]:
        if self._size > _MOST_KNOWN:
            self._made, self._size = {}, 0
        self._made[text] = made
        self._size += 3 * len(text) + _EACH_KNOWN
        return made


def _written(manifest: Manifest) -> Manifest:
    """The manifest in every form but its tree, which is the largest; its keys sorted, as Kubernetes gives them."""
    content = orjson.dumps(manifest.body, option=orjson.OPT_SORT_KEYS)
    made = Document(json=content)
    return replace(manifest, document=Document(json=content, text=made.text, facts=made.facts))


def _of_chart(output: RenderedChart) -> Documents:
    """The documents of a rendered chart: its templates', then those of its ``crds/`` folders."""
    for path, text in output.templates.items():
        for document in split.rendered(text):
            yield document, path
    for path, text in output.crds:
        for document in split.written(text):
            yield document, path


def _of_texts(texts: Iterable[tuple[str, bytes]]) -> Documents:
    """The documents of files that somebody wrote.

    Raises:
        ManifestError: if one is not UTF-8.
    """
    for origin, content in texts:
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise ManifestError(f"not UTF-8 text: {error}", where=origin, fix="save the file as UTF-8") from error
        for document in split.written(text):
            yield document, origin
