"""How a remote repository is reached: the protocols, the login, the settings of its host; and a local one that names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cluster_forge.adapters.git import logins, tls_settings
from cluster_forge.adapters.git.program import Access
from cluster_forge.adapters.http.policy import HostSettings
from cluster_forge.ports.credentials import Credentials

_PROTOCOLS: Final = {"https": "https:ssh", "ssh": "https:ssh", "http": "http", "file": "file"}
"""By the scheme of an address; HTTPS and SSH may stand for each other (``insteadOf``)."""


def of(
    repository: str,
    credentials: Callable[[], Credentials] | None,
    hosts: Callable[[], Mapping[str, HostSettings]],
    ca_file: str,
) -> Access:
    """The access to a repository; credentials and hosts are asked for only where they count.

    Raises:
        CredentialError: if a place that may have a login cannot be read.
    """
    scheme = repository.partition(":")[0]
    if not scheme.startswith("http"):
        return Access(_PROTOCOLS[scheme])
    login = logins.of(repository, credentials() if credentials else None)
    return Access(_PROTOCOLS[scheme], login, tls_settings.of(repository, hosts(), ca_file))


def init(folder: Path, repository: str) -> None:
    """An empty bare repository whose remote ``origin`` is the one at an address."""
    (folder / "objects").mkdir()
    (folder / "refs").mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    (folder / "config").write_text(f"[core]\n\trepositoryformatversion = 0\n\tbare = true\n{logins.remote(repository)}")
