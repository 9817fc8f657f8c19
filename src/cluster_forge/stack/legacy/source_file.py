"""A component's ``source.yaml`` in the legacy format, as ``upstream`` of the native format."""

from __future__ import annotations

import posixpath
from typing import Any

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.legacy import keys
from cluster_forge.stack.legacy.keys import SOURCED
from cluster_forge.stack.legacy.schema import LegacySourceSchema
from cluster_forge.stack.schema.validation import schema_errors
from cluster_forge.yaml.positioned import Positioned


def read(path: str, files: InputFiles) -> Positioned | None:
    """The file's content; None if there is no such file.

    Raises:
        DescriptionError, ExceptionGroup: if it is not YAML, or does not fit the schema.
    """
    document = files.document(path)
    if document is None:
        return None
    source = keys.as_written(document.root)
    errors = schema_errors(LegacySourceSchema, source)
    if errors:
        raise ExceptionGroup(path, errors)
    return source


def upstream(source: Positioned, folder: str, errors: list[ForgeError]) -> Positioned:
    """The source as ``upstream``; ``folder`` is the one that has ``source.yaml``, relative to ``input/``."""
    native: dict[str, Any] = {"folder": posixpath.join(folder, SOURCED)}
    namespace = source.get("namespace")
    if namespace and namespace.content:
        native["namespace"] = namespace
    helm = keys.helm(source, str(source.at(("name",)).content), errors)
    if helm:
        native["helm"] = helm
    url = keys.url(source)
    if url:
        native["manifests"] = Positioned.of([url], url)
    values = source.get("values")
    if values and values.string:
        native["valuesFiles"] = Positioned.of([posixpath.join(folder, values.string)], values)
    excluded = source.get("source-exclusions")
    if excluded and excluded.content:
        native["exclude"] = Positioned.of(list(keys.texts(source, "source-exclusions")), excluded)
    return Positioned.of(native, source)
