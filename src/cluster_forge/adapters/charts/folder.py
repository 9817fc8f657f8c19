"""A local chart's folder as an archive whose bytes depend on nothing but the folder's files."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from typing import Final

from cluster_forge.adapters.charts import helmignore
from cluster_forge.adapters.charts.archive import identity
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.foundation.file_tree import FileTree

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""gzip (RFC 1952): deflate, no name, no time, an unknown system."""
_BLOCK: Final = 0xFFFF


def pack_folder(files: FileTree, name: str) -> bytes:
    """A chart's folder as a ``.tgz``, less what its ``.helmignore`` names. ``name`` is what messages call it.

    Raises:
        ArchiveError: if there is no ``Chart.yaml`` that names the chart and its version, or ``.helmignore`` is wrong.
    """
    rules = helmignore.parse(files[".helmignore"] if ".helmignore" in files.files else b"", f"{name}/.helmignore")
    if "Chart.yaml" not in files.files:
        raise ArchiveError(
            f"{name} is no chart: it has no Chart.yaml",
            fix="name a chart's folder; plain manifests belong under `manifests`",
        )
    identity(files["Chart.yaml"], name)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in files:
            if not rules.ignore(path):
                entry = tarfile.TarInfo(f"chart/{path}")
                entry.size = len(files[path])
                entry.mode = 0o755 if path in files.executable else 0o644
                archive.addfile(entry, io.BytesIO(files[path]))
    return _gzip(buffer.getvalue())


def _gzip(content: bytes) -> bytes:
    """Gzip of stored blocks (RFC 1951, 3.2.4): the versions of zlib compress differently, and a digest must not."""
    parts = [_HEADER]
    for start in range(0, len(content), _BLOCK):
        block = content[start : start + _BLOCK]
        is_last = start + _BLOCK >= len(content)
        parts += [struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF))
    return b"".join(parts)
