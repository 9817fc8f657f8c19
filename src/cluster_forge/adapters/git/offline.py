"""Git under ``--offline``: repositories of this machine, and no network."""

from __future__ import annotations

from dataclasses import dataclass

from cluster_forge.adapters.git.remote_trees import RemoteTrees
from cluster_forge.foundation.errors import OfflineError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.ports.sources import GitOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineTrees:
    """Takes the place of `RemoteTrees`; reads ``git+file://`` only.

    Raises:
        OfflineError: for every other address.
    """

    local: RemoteTrees

    def commit(self, address: GitAddress, locked: str = "") -> str:
        _refuse(address)
        return self.local.commit(address, locked)

    def offer(self, address: GitAddress) -> GitOffer:
        _refuse(address)
        return self.local.offer(address)

    def files(self, address: GitAddress, commit: str, *, whole: bool = False) -> FileTree:
        _refuse(address)
        return self.local.files(address, commit, whole=whole)


def _refuse(address: GitAddress) -> None:
    if not address.is_local:
        raise OfflineError(
            f"--offline: {address} is not in the store and may not be fetched",
            fix="run `cluster-forge mine` once without --offline, or use a mirror that has it: --mirror DIR",
        )
