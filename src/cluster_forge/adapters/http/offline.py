"""Downloads under ``--offline``: files of this machine, and no network."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_forge.adapters.http import file_urls
from cluster_forge.adapters.http.fetched import Fetched
from cluster_forge.adapters.http.policy import HostSettings
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import OfflineError


class OfflineDownloads:
    """Takes the place of `downloads.HttpDownloads`; reads ``file://`` only."""

    def configure(self, hosts: Mapping[str, HostSettings]) -> None:
        """As `downloads.HttpDownloads`: no host is reached."""

    def get(self, url: str, *, limit_bytes: int) -> bytes:
        """The file at a ``file://`` address.

        Raises:
            OfflineError: for every other address.
            FetchError: if the file cannot be read.
        """
        if url.startswith("file:"):
            return file_urls.read(url, limit_bytes)
        raise OfflineError(
            f"--offline: {without_credentials(url)} is not in the store and may not be downloaded",
            fix="run `cluster-forge mine` once without --offline, or use a mirror that has it: --mirror DIR",
        )

    def get_changed(self, url: str, *, limit_bytes: int, tag: str) -> Fetched:  # noqa: ARG002 - the port's signature
        """The same."""
        return Fetched(content=self.get(url, limit_bytes=limit_bytes))
