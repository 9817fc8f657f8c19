"""Files of this machine by their ``file://`` addresses."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError


def read(url: str, limit_bytes: int) -> bytes:
    """The file at a ``file://`` address.

    Raises:
        FetchError: if it cannot be read, or is larger than ``limit_bytes``.
    """
    from urllib.request import url2pathname  # noqa: PLC0415 - 0.016 s

    address = without_credentials(url)
    parts = urlsplit(url)
    path = Path(url2pathname(parts.path))
    try:
        if parts.netloc not in ("", "localhost"):
            raise FetchError(f"{address} names another machine", fix="write file:///PATH, with three slashes")
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FetchError(f"{address} cannot be read: {reason}", fix="check the path") from error
    if len(content) > limit_bytes:
        raise FetchError(f"{address} is larger than {limit_bytes:,} bytes", fix="check the path")
    return content
