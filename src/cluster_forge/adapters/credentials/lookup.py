"""`UserCredentials`: the places in their order."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Protocol

from cluster_forge.adapters.credentials.address import Address
from cluster_forge.adapters.credentials.auth_file import AuthFile
from cluster_forge.adapters.credentials.environment import EnvironmentCredentials
from cluster_forge.adapters.credentials.git_credentials import GitCredentials
from cluster_forge.adapters.credentials.helm_repositories import HelmRepositories
from cluster_forge.adapters.credentials.netrc_file import NetrcFile
from cluster_forge.adapters.credentials.user_files import UserFiles
from cluster_forge.ports.credentials import Credential


class Place(Protocol):
    def find(self, address: Address) -> Credential | None:
        """What it has for an address.

        Raises:
            CredentialError: if it cannot be read.
        """


class UserCredentials:
    """`ports.Credentials` of one user. The first place that has something decides; the later ones are not read.

    1. the environment variable ``CLUSTER_FORGE_AUTH_<HOST>``
    2. the address itself
    3. Helm's ``repositories.yaml``
    4. Docker's ``config.json``, Podman's ``auth.json``, Helm's ``registry/config.json``
    5. ``.netrc``
    6. Git's credential helpers, unless it is Git that asks (``for_git``)
    """

    def __init__(self, files: UserFiles, *, for_git: bool = False) -> None:
        git = () if for_git else (GitCredentials(files.environment),)
        self._places = (*_places(files), *git)
        self._guard = Lock()

    def of(self, url: str) -> Credential | None:
        try:
            address = Address.parse(url)
        except ValueError:
            return None
        with self._guard:  # files are read, and programs asked, once
            return next(filter(None, (place.find(address) for place in self._places)), None)


class UrlCredentials:
    """User and password in the address; a user alone is what curl and Git take it for."""

    def find(self, address: Address) -> Credential | None:
        if not address.user and not address.password:
            return None
        return Credential(
            source="the address itself",
            user=address.user,
            secret=address.password,
            is_for_plain_http=address.scheme == "http",
        )


def _places(files: UserFiles) -> Iterator[Place]:
    yield EnvironmentCredentials(files.environment)
    yield UrlCredentials()
    if files.helm_repositories:
        yield HelmRepositories(files.helm_repositories, files)
    for path in (files.docker, *files.podman, files.helm_registries):
        if path:
            yield AuthFile(path, files)
    if files.netrc:
        yield NetrcFile(files.netrc, files)
