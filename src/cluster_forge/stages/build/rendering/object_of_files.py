"""A ConfigMap or Secret with the content of files, as a document."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.manifests import emitter
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.component import FilesKind, ObjectOfFiles


def text(described: ObjectOfFiles, files: Workspace) -> bytes:
    """The object as YAML. In a ConfigMap, what is not UTF-8 text is `binaryData` (as `kubectl create configmap` does).

    Raises:
        ManifestError: if a file does not exist.
    """
    contents = {key: _content(path, described, files) for key, path in sorted(described.files.items())}
    optional = {
        "namespace": described.namespace,
        "labels": dict(described.labels),
        "annotations": dict(described.annotations),
    }
    metadata = {"name": described.name, **{key: value for key, value in optional.items() if value}}
    body: dict[str, Any] = {"apiVersion": "v1", "kind": str(described.kind), "metadata": metadata}
    if described.kind is FilesKind.SECRET:
        body["type"] = described.type or "Opaque"
        body["data"] = {key: _encoded(content) for key, content in contents.items()}
    else:
        texts = {key: decoded for key, content in contents.items() if (decoded := _decoded(content)) is not None}
        binary = {key: _encoded(content) for key, content in contents.items() if key not in texts}
        body |= {key: data for key, data in (("data", texts), ("binaryData", binary)) if data}
    return emitter.document(body).encode()


def _content(path: str, described: ObjectOfFiles, files: Workspace) -> bytes:
    content = files.read(path)
    if content is None:
        raise ManifestError(
            f"{described.kind} {described.name}: there is no {path}",
            where=described.where,
            fix="create it, or correct the entry of `files`; paths are relative to input/",
        )
    return content


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _encoded(content: bytes) -> str:
    return b64encode(content).decode()
