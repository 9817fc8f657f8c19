"""Rendering in this process: a chart is rendered, or texts are taken as they are; then every document is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import orjson

from cluster_forge.adapters.rendering import chart_defaults, chart_tree, chart_warnings, null_values
from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ArchiveError, ForgeError, ManifestError
from cluster_forge.manifests import batch, emitter, normalize, split
from cluster_forge.manifests.manifest import Body, Document, Manifest, Provenance
from cluster_forge.ports.rendering import (
    HelmEngine,
    RenderedBatch,
    RenderedChart,
    RenderJob,
    RenderRequest,
    YamlDocument,
    YamlReader,
)

_MOST_ERRORS = 100
"""Errors of one component that are reported together."""

_REMEMBERED_SIZE = 32 << 20
"""Bytes, about, of remembered documents: several large charts."""

_DOCUMENT_SIZE = 5000
"""Bytes, about, that a remembered document takes besides its text and its objects."""

_DEEPEST = 254
"""Levels of nesting that orjson writes."""

Documents = Iterable[tuple[split.DocumentText, str]]
"""Documents with the file, template or URL that they are from."""


class InProcessRenderer:
    """`ports.Renderer` on an engine and a reader."""

    def __init__(self, engine: HelmEngine, reader: YamlReader) -> None:
        self._engine = engine
        self._reader = reader
        self._recent = _RecentDocuments()

    @property
    def version(self) -> str:
        return self._engine.version

    def render(self, job: RenderJob) -> RenderedBatch:
        if job.chart is None:
            return RenderedBatch(content=batch.pack(self._manifests(_text_documents(job.texts), job)))
        try:
            rendered = self._rendered(job.chart)
        except ForgeError as error:
            message = f"component {job.component}: {error.message}"
            null = null_values.find(error.message, job.chart.values)
            place = job.null_places.get(null.keys, job.where) if null else job.where
            fix = null.fix if null else error.fix
            raise type(error)(message, where=error.where or place, fix=fix) from error
        return RenderedBatch(content=batch.pack(self._manifests(_chart_documents(rendered), job), rendered.remarks))

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        return self._engine.required_apis(chart)

    def release(self) -> None:
        self._recent = _RecentDocuments()

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

    def _manifests(self, documents: Documents, job: RenderJob) -> tuple[Manifest, ...]:
        manifests: list[Manifest] = []
        errors: list[ForgeError] = []
        for document, origin in documents:
            if len(errors) == _MOST_ERRORS:
                break
            provenance = Provenance(component=job.component, origin=f"{origin}:{document.line}")
            try:
                objects = self._objects(document.text, provenance)
            except (ManifestError, RecursionError, orjson.JSONEncodeError, UnicodeError) as error:
                errors.append(_failure(error, job, provenance.origin))
            else:
                manifests += (replace(manifest, provenance=provenance) for manifest in objects)
        raise_all(errors)
        return tuple(manifests)

    def _objects(self, text: str, provenance: Provenance) -> list[Manifest]:
        objects = self._recent.get(text)
        if objects is None:
            document = self._reader.examine(text)
            manifests = normalize.objects(document.value, provenance, document.repeated_keys)
            objects = self._recent.put(text, [_without_tree(manifest, document) for manifest in manifests])
        return objects


class _RecentDocuments:
    """The objects of the latest documents: charts list a CRD's file twice, and a chart that is rendered again (with APIs of
    other components, another size, another version of Kubernetes) mostly gives the same documents. Thread-safe.
    """

    def __init__(self) -> None:
        self._objects: dict[str, list[Manifest]] = {}
        self._size = 0

    def get(self, text: str) -> list[Manifest] | None:
        return self._objects.get(text)

    def put(self, text: str, objects: list[Manifest]) -> list[Manifest]:
        if self._size > _REMEMBERED_SIZE:
            self._objects, self._size = {}, 0
        self._objects[text] = objects
        self._size += 3 * len(text) + _DOCUMENT_SIZE
        return objects


def _without_tree(manifest: Manifest, source: YamlDocument) -> Manifest:
    """The manifest in every form except its tree, the largest; its keys sorted, as Kubernetes returns them."""
    body = manifest.body
    content = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    written = {key: text for key, text in source.written.items() if key in body and body[key] is source.value[key]}
    text = _joined(body, written) if written else Document(json=content).text
    return replace(manifest, document=Document(json=content, text=text, facts=manifest.facts))


def _joined(body: Body, written: Mapping[str, str]) -> bytes:
    """The YAML of ``body``, some entries of which were ``written`` before; its keys sorted."""
    others = orjson.dumps({key: body[key] for key in body.keys() - written.keys()}, option=orjson.OPT_SORT_KEYS)
    texts = {key: emitter.document({key: value}) for key, value in orjson.loads(others).items()}
    return "".join(text for _, text in sorted((texts | dict(written)).items())).encode()


def _failure(error: Exception, job: RenderJob, where: str) -> ManifestError:
    """The error for a document that is not YAML, not an object, or has no JSON form."""
    component = f"component {job.component}: "
    if isinstance(error, ManifestError):
        message = error.message if error.message.startswith(component) else component + error.message
        return ManifestError(message, where=error.where or where, fix=error.fix)
    reason = f"nesting too deep (limit {_DEEPEST})" if "ecursion" in str(error) else f"not valid as JSON: {error}"
    return ManifestError(component + reason, where=where, fix="correct the document, or remove it")


def _chart_documents(chart: RenderedChart) -> Documents:
    """The documents of a rendered chart: those of its templates, then those of its ``crds/`` directories."""
    for path, text in chart.templates.items():
        for document in split.rendered(text):
            yield document, path
    for path, text in chart.crds:
        for document in split.written(text):
            yield document, path


def _text_documents(texts: Iterable[tuple[str, bytes]]) -> Documents:
    """The documents of manifest files.

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
