"""Files of this machine by their ``file://`` addresses."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError


def read(url: str, limit_bytes: int) -> bytes:
    """The file at a ``file://`` address.

    Raises:
        FetchError: if it cannot be read, is not a regular file, or is larger than ``limit_bytes``.
    """
    from urllib.request import url2pathname  # noqa: PLC0415 - 0.016 s

    address = without_credentials(url)
    parts = urlsplit(url)
    path = Path(url2pathname(parts.path))
    try:
        if parts.netloc not in ("", "localhost"):
            raise FetchError(f"{address} names another machine", fix="write file:///PATH, with three slashes")
        content = _content(path, limit_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FetchError(f"{address} cannot be read: {reason}", fix="check the path") from error
    if len(content) > limit_bytes:
        raise FetchError(f"{address} is larger than {limit_bytes:,} bytes", fix="check the path")
    return content


def _content(path: Path, most: int) -> bytes:
    """The first bytes of a regular file. A pipe or a device could keep the reader for ever, and is not opened to read."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is not a regular file")
        return file.read(most)
