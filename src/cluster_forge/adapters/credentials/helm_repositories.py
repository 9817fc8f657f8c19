"""Helm's ``repositories.yaml`` (``helm repo add``): logins and certificates of chart repositories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cluster_forge.adapters.credentials.address import Address
from cluster_forge.adapters.credentials.user_files import UserFiles
from cluster_forge.ports.credentials import Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class HelmRepository:
    """An entry: the address, and what belongs to it. Paths are empty where it has none."""

    address: Address
    user: str = ""
    password: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class HelmRepositories:
    """The file, read once. Of several entries the one for the longest part of the path counts.

    ``pass_credentials_all`` is not followed, as a login never goes to another host, nor is ``insecure_skip_tls_verify``.
    """

    def __init__(self, path: Path, files: UserFiles) -> None:
        self.path = path
        self._files = files

    def find(self, address: Address) -> Credential | None:
        """The login for an address.

        Raises:
            CredentialError: if the file cannot be read.
        """
        repository = self.repository(address)
        if not repository or not repository.password:
            return None
        return Credential(
            source=self._files.shown(self.path),
            user=repository.user,
            secret=repository.password,
            is_for_plain_http=repository.address.scheme == "http",
        )

    def repository(self, address: Address) -> HelmRepository | None:
        """The entry for an address.

        Raises:
            CredentialError: if the file cannot be read.
        """
        matching = [
            repository
            for repository in self.entries
            if (repository.address.scheme, repository.address.host) == (address.scheme, address.host)
            and address.is_below(repository.address.path)
        ]
        return max(matching, key=lambda repository: len(repository.address.path), default=None)

    @cached_property
    def entries(self) -> Sequence[HelmRepository]:
        """What is in the file; nothing if it does not exist.

        Raises:
            CredentialError: if it cannot be read.
        """
        text = self._files.read(self.path)
        if text is None:
            return ()
        import yaml  # noqa: PLC0415 - 0.05 s, and most users have no such file

        try:
            content = yaml.load(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506 - it makes texts only
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise self._files.damaged(self.path, "it is not YAML") from error
        listed = content.get("repositories") if isinstance(content, dict) else None
        entries = listed if isinstance(listed, list) else []
        return tuple(filter(None, (_repository(entry) for entry in entries if isinstance(entry, dict))))


def _repository(entry: Mapping[Any, Any]) -> HelmRepository | None:
    def text(name: str) -> str:
        value = entry.get(name)
        return value if isinstance(value, str) else ""

    try:
        address = Address.parse(text("url"))
    except ValueError:
        return None
    return HelmRepository(
        address=address,
        user=text("username"),
        password=text("password"),
        ca_file=text("caFile"),
        cert_file=text("certFile"),
        key_file=text("keyFile"),
    )
