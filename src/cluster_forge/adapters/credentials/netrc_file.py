"""``.netrc``, as curl reads it: a login for each machine."""

from __future__ import annotations

import netrc
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from cluster_forge.adapters.credentials.address import Address
from cluster_forge.adapters.credentials.user_files import UserFiles
from cluster_forge.ports.credentials import Credential


class NetrcFile:
    """The file, read once. Its entry ``default`` is not used: it would be for every host that a description names."""

    def __init__(self, path: Path, files: UserFiles) -> None:
        self.path = path
        self._files = files

    def find(self, address: Address) -> Credential | None:
        """The login for a host; an entry with the port comes first.

        Raises:
            CredentialError: if the file cannot be read.
        """
        name = address.host.rpartition(":")[0] if address.host.rpartition(":")[2].isdigit() else address.host
        user, _, password = self._machines.get(address.host) or self._machines.get(name) or ("", "", "")
        if not password:
            return None
        return Credential(source=self._files.shown(self.path), user=user or "", secret=password)

    @cached_property
    def _machines(self) -> Mapping[str, tuple[str | None, str | None, str | None]]:
        if self._files.read(self.path) is None:  # its size and kind are checked by this
            return {}
        try:
            hosts = netrc.netrc(str(self.path)).hosts
        except netrc.NetrcParseError as error:
            line = f" (line {error.lineno})" if error.lineno else ""
            raise self._files.damaged(self.path, f"it is not in the format of .netrc{line}") from error
        except (OSError, ValueError) as error:
            raise self._files.damaged(self.path, "it cannot be read") from error
        return {name.lower(): login for name, login in hosts.items() if name != "default"}
