"""A local chart packed into an archive whose bytes depend on its files only."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from typing import Final

from cluster_forge.adapters.charts import chart_yaml, helmignore
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.foundation.file_tree import FileTree

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""gzip (RFC 1952): deflate, no name, no time, an unknown system."""
_BLOCK: Final = 0xFFFF


def pack_folder(files: FileTree, name: str) -> bytes:
    """A chart's files as a ``.tgz``, without what its ``.helmignore`` matches; ``name`` is its name in messages.

    Raises:
        ArchiveError: if there is no ``Chart.yaml`` with name and version, or ``.helmignore`` is invalid.
    """
    rules = helmignore.parse(files[".helmignore"] if ".helmignore" in files.files else b"", f"{name}/.helmignore")
    if "Chart.yaml" not in files.files:
        raise ArchiveError(
            f"{name} is not a chart: it has no Chart.yaml",
            fix="name the directory of a chart; plain manifests belong under `manifests`",
        )
    chart_yaml.identity(files["Chart.yaml"], name)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in files:
            if not rules.ignores(path):
                entry = tarfile.TarInfo(f"chart/{path}")
                entry.size = len(files[path])
                entry.mode = 0o755 if path in files.executable else 0o644
                archive.addfile(entry, io.BytesIO(files[path]))
    return _gzip(buffer.getvalue())


def _gzip(content: bytes) -> bytes:
    """Gzip of stored blocks (RFC 1951, 3.2.4): versions of zlib compress differently, and the digest must not differ."""
    parts = [_HEADER]
    for start in range(0, len(content), _BLOCK):
        block = content[start : start + _BLOCK]
        is_last = start + _BLOCK >= len(content)
        parts += [struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF))
    return b"".join(parts)
