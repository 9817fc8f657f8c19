"""From the documents of a job to the objects in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import orjson

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ForgeError, ManifestError
from cluster_forge.manifests import emitter, normalize, split
from cluster_forge.manifests.manifest import Body, Document, Manifest, Provenance
from cluster_forge.ports.rendering import RenderJob, YamlDocument, YamlReader

_MOST_ERRORS = 100
"""Errors of one component that are reported together."""

_REMEMBERED_SIZE = 32 << 20
"""Bytes, about, of remembered documents: several large charts."""

_DOCUMENT_SIZE = 5000
"""Bytes, about, that a remembered document takes besides its text and its objects."""

_DEEPEST = 254
"""Levels of nesting that orjson writes."""

_LINE = re.compile(r"line (\d+) of the document: ")

Documents = Iterable[tuple[split.DocumentText, str]]
"""Documents with the file, template or URL that they are from."""


class DocumentReader:
    """Reads documents with ``reader``, and remembers the latest ones."""

    def __init__(self, reader: YamlReader) -> None:
        self._reader = reader
        self._recent = _RecentDocuments()

    def forget(self) -> None:
        """Forget what was read."""
        self._recent = _RecentDocuments()

    def manifests(self, documents: Documents, job: RenderJob) -> tuple[Manifest, ...]:
        """The objects in the documents.

        Raises:
            ManifestError, ExceptionGroup: for each document that is not YAML or not a Kubernetes object.
        """
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


def of_texts(texts: Iterable[tuple[str, bytes]]) -> Documents:
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
        if job.chart is None and not error.where:
            where, message = _in_file(where, message)
        return ManifestError(message, where=error.where or where, fix=error.fix)
    reason = f"nesting too deep (limit {_DEEPEST})" if "ecursion" in str(error) else f"not valid as JSON: {error}"
    return ManifestError(component + reason, where=where, fix="correct the document, or remove it")


def _in_file(where: str, message: str) -> tuple[str, str]:
    """The place and the message of an error of a `YamlReader`, which counts the lines of the document; ``where`` is its first line.

    What a chart renders has other lines than its templates: there the line stays in the message.
    """
    line = _LINE.search(message)
    if not line:
        return where, message
    origin, _, first = where.rpartition(":")
    return f"{origin}:{int(first) + int(line[1]) - 1}", _LINE.sub("", message, count=1)
