"""Archives of charts."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping


def archive(name: str, files: Mapping[str, str]) -> bytes:
    """A chart's archive: its files in a folder of its name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as packed:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(text.encode())
            packed.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
