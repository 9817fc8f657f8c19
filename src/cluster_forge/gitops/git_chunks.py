"""The repository in ConfigMaps: one tar archive, cut into immutable ones that are named by its digest (ADR 0011)."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import git_server, script_source
from cluster_forge.gitops.git_server import COMMIT, NAMESPACE, Content
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.manifests.manifest import Body
from cluster_forge.stack.model import Stack

CHUNK = 700 * 1024
"""Bytes in one ConfigMap: less than 1 MiB as base64 too (Kubernetes, "ConfigMaps": "cannot exceed 1 MiB")."""


def archive(repository: FileTree) -> bytes:
    """The repository as a tar archive (ustar), the same bytes for the same files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in repository.files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o755 if path in repository.executable else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def chunks(stack: Stack, packed: bytes, commit: str) -> Iterator[Body]:
    """The ConfigMaps that carry the archive, in order."""
    digest = Digest.of(packed).hex
    for number, start in enumerate(range(0, len(packed), CHUNK)):
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": _chunk_name(stack, digest, number),
                "namespace": NAMESPACE,
                "labels": {**git_server.labels(stack), STACK_LABEL: stack.name, COMMIT: commit},
            },
            "immutable": True,
            "binaryData": {"chunk": base64.b64encode(packed[start : start + CHUNK]).decode()},
        }


def content(stack: Stack, packed: bytes, image: str, pull_secrets: Sequence[Mapping[str, Any]] = ()) -> Content:
    """A server that has the repository from them, and runs from Argo CD's image."""
    digest = Digest.of(packed).hex
    sources = [
        {"configMap": {"name": _chunk_name(stack, digest, number), "items": [{"key": "chunk", "path": f"{number:03}"}]}}
        for number in range(-(-len(packed) // CHUNK))
    ]
    return Content(
        image=image,
        script=script_source.read("unpack_chunks").lstrip(),
        environment={"REPOSITORY_SHA256": digest},
        mounts=[{"name": "chunks", "mountPath": "/chunks", "readOnly": True}],
        volumes=[{"name": "chunks", "projected": {"sources": sources}}],
        pull_secrets=pull_secrets,
    )


def _chunk_name(stack: Stack, digest: str, number: int) -> str:
    return f"{git_server.name(stack)}-{digest[:12]}-{number:03}"
