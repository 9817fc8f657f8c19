"""What source plug-ins have at their addresses, as other adapters download what is on a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cluster_forge.adapters.plugins.python_plugins import InstalledPlugins
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError, OfflineError


@dataclass(frozen=True, slots=True)
class PluginDownloads:
    """Takes the place of `http.downloads.HttpDownloads` for the schemes of plug-ins."""

    plugins: Callable[[], InstalledPlugins]
    is_offline: bool

    def get(self, url: str, *, limit_bytes: int) -> bytes:
        """The content of an address.

        Raises:
            OfflineError: under ``--offline``: what a plug-in does is not known.
            FetchError: if there is nothing, or the plug-in cannot fetch it.
            PluginError: if there is no plug-in for its scheme, or it fails.
        """
        address = without_credentials(url)
        if self.is_offline:
            raise OfflineError(
                f"--offline: {address} is not in the store and may not be fetched",
                fix="run `cluster-forge mine` once without --offline, or use a mirror that has it: --mirror DIR",
            )
        try:
            return self.plugins().fetch(url, limit_bytes)
        except FileNotFoundError as error:
            raise FetchError(f"{address} does not exist", fix="correct the address, or look what is there") from error
