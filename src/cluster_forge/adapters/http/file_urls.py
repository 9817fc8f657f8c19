"""Files of this machine, by ``file://``; all there is where nothing may be fetched."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError, OfflineError


class NoDownloads:
    """What ``--offline`` has in the place of `http.HttpDownloads`: files of this machine, and no network at all."""

    def get(self, url: str, *, limit_bytes: int) -> bytes:
        """Read ``file://``.

        Raises:
            OfflineError: for every other address.
            FetchError: for a file that cannot be read.
        """
        if url.startswith("file:"):
            return read(url, limit_bytes)
        raise OfflineError(
            f"{without_credentials(url)} would have to be fetched, and --offline forbids it",
            fix="run `cluster-forge mine` once without --offline, or name a mirror that has it: --mirror DIR",
        )


def read(url: str, limit: int) -> bytes:
    """The file at a ``file://`` address.

    Raises:
        FetchError: if it cannot be read, or has more than ``limit`` bytes.
    """
    from urllib.request import url2pathname  # noqa: PLC0415 - slow to import

    parts = urlsplit(url)
    path = Path(url2pathname(parts.path))
    try:
        if parts.netloc not in ("", "localhost"):
            raise FetchError(
                f"{without_credentials(url)} names another machine", fix="write file:///PATH, with three slashes"
            )
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or error
        raise FetchError(
            f"{without_credentials(url)} cannot be read: {problem}", fix="see whether the path is right"
        ) from error
    if len(content) > limit:
        raise FetchError(
            f"{without_credentials(url)} is larger than {limit:,} bytes", fix="see whether the path is right"
        )
    return content
