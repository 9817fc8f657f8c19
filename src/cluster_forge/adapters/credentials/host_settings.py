"""The settings of hosts for the HTTP client: what the description says, with its files on this machine, and what Helm knows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from cluster_forge.adapters.credentials.helm_repositories import HelmRepositories
from cluster_forge.adapters.credentials.user_files import UserFiles
from cluster_forge.adapters.http.policy import HostSettings
from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.errors import CredentialError, DescriptionError
from cluster_forge.stack.registry_settings import RegistrySettings

_WITHOUT_BRACKETS: Final = str.maketrans({"[": None, "]": None})
"""An IPv6 address is written in brackets (RFC 3986, 3.2.2); the HTTP client has it without."""


def of_description(workspace: Path, registries: Iterable[RegistrySettings]) -> dict[str, HostSettings]:
    """The settings by host.

    Raises:
        DescriptionError, ExceptionGroup: for each file that is not there, or behind a link out of the workspace.
    """
    return dict(gathered(partial(_settings, workspace, registry) for registry in registries))


def of_helm(files: UserFiles) -> dict[str, HostSettings]:
    """The certificates that Helm's ``repositories.yaml`` has for hosts, the first entry for each. What it says about
    verification does not count: exceptions are the description's. A file that cannot be read is an error where a login is
    looked for in it.
    """
    settings: dict[str, HostSettings] = {}
    with contextlib.suppress(CredentialError):
        for entry in HelmRepositories(files.helm_repositories, files).entries if files.helm_repositories else ():
            if entry.ca_file or entry.cert_file:
                chosen = HostSettings(ca_file=entry.ca_file, cert_file=entry.cert_file, key_file=entry.key_file)
                settings.setdefault(entry.address.host.translate(_WITHOUT_BRACKETS), chosen)
    return settings


def _settings(workspace: Path, registry: RegistrySettings) -> tuple[str, HostSettings]:
    files = (registry.ca_file, registry.cert_file, registry.key_file)
    ca_file, cert_file, key_file = gathered(partial(_file, workspace, path, registry) for path in files)
    return registry.host.translate(_WITHOUT_BRACKETS), HostSettings(
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
        is_insecure=registry.insecure,
        is_plain_http=registry.plain_http,
        where=registry.where,
    )


def _file(workspace: Path, path: str, registry: RegistrySettings) -> str:
    """The absolute path; empty for none. A link may lead to another disk with `input/` as a whole, nowhere else out."""
    if not path:
        return ""
    file = (workspace / path).resolve()
    inside = any(file.is_relative_to((workspace / folder).resolve()) for folder in ("", "input"))
    if not inside or not file.is_file():
        raise DescriptionError(
            f"registries: {registry.host}: {path} "
            + ("is not a file" if inside else "is a link that leaves the workspace"),
            where=registry.where,
            fix="correct the path: it is relative to input/, and in the workspace",
        )
    return str(file)
