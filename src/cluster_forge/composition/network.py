"""The network: downloads, registries and Git servers, with the credentials of this user."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.composition.settings import Settings
from cluster_forge.foundation.errors import OfflineError
from cluster_forge.ports.git import RemoteRepositories
from cluster_forge.ports.workers import Workers
from cluster_forge.stack.registry_settings import RegistrySettings

if TYPE_CHECKING:
    from cluster_forge.adapters.credentials.user_files import UserFiles
    from cluster_forge.adapters.http.authorization import Authorization
    from cluster_forge.adapters.http.client import HttpClient
    from cluster_forge.adapters.http.downloads import HttpDownloads
    from cluster_forge.adapters.http.offline import OfflineDownloads
    from cluster_forge.adapters.http.policy import HostSettings
    from cluster_forge.ports.credentials import CredentialKeeper, Credentials, Logins
    from cluster_forge.ports.registry import Registry, RegistryUploads

_FETCHERS = 16
"""Threads that fetch: they wait for the network, whatever the number of cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registries:
    """What `push` and `pull` work with."""

    registry: Registry
    uploads: RegistryUploads
    workers: Workers


def registries(settings: Settings, hosts: Sequence[RegistrySettings]) -> Registries:
    """The adapters for a command that reads and writes registries; ``hosts`` is what the description says about hosts.

    Raises:
        OfflineError: under ``--offline``.
        DescriptionError, ExceptionGroup: for each file that ``hosts`` name and that is not there.
    """
    from cluster_forge.adapters.registry.reader import RegistryReader
    from cluster_forge.adapters.registry.uploads import HttpRegistryUploads

    downloads = _online(settings, hosts, needed="a registry")
    reader = RegistryReader(downloads.client)
    return Registries(
        registry=reader, uploads=HttpRegistryUploads(downloads.client, reader), workers=fetchers(settings)
    )


def remote_repositories(settings: Settings, hosts: Sequence[RegistrySettings]) -> RemoteRepositories:
    """What a command pushes to Git repositories with; ``hosts`` is what the description says about hosts.

    Raises:
        OfflineError: under ``--offline``.
        DescriptionError, ExceptionGroup: for each file that ``hosts`` name and that is not there.
    """
    from cluster_forge.adapters.git.program import GitLimits, GitProgram
    from cluster_forge.adapters.git.publishing import GitPublisher

    downloads = _online(settings, hosts, needed="a Git repository")
    return GitPublisher(
        program=GitProgram(GitLimits(whole=settings.network.timeout)),
        policy=downloads.policy,
        credentials=git_credentials,
        hosts=lambda: downloads.hosts,
    )


def fetchers(settings: Settings) -> Workers:
    """Parallel calls that wait for the network."""
    return ThreadWorkers(max(settings.jobs, _FETCHERS))


def _online(settings: Settings, hosts: Sequence[RegistrySettings], *, needed: str) -> HttpDownloads:
    """The network with the settings of ``hosts``, for a command that is of no use without it.

    Raises:
        OfflineError: under ``--offline``.
        DescriptionError, ExceptionGroup: as for `use_registries`.
    """
    if settings.network.offline:
        raise OfflineError(f"--offline: the command needs {needed}", fix="run it without --offline")
    downloads = _network(settings, credentials)
    use_registries(downloads, settings.workspace, hosts)
    return downloads


def downloads_for(settings: Settings) -> OfflineDownloads | HttpDownloads:
    """Downloads, each of which is an error under ``--offline``."""
    if settings.network.offline:
        from cluster_forge.adapters.http.offline import OfflineDownloads

        return OfflineDownloads()
    return _network(settings, credentials)


def _network(settings: Settings, credentials: Callable[[], Credentials]) -> HttpDownloads:
    """The network with the user's options; ``credentials`` is called when a server asks for one."""
    from cluster_forge.adapters.http.downloads import HttpDownloads
    from cluster_forge.adapters.http.policy import Policy, Timeouts

    def authorization(client: HttpClient) -> Authorization:
        from cluster_forge.adapters.http.challenged_authorization import ChallengedAuthorization
        from cluster_forge.adapters.http.tokens import TokenService

        return ChallengedAuthorization(credentials(), TokenService(requests=client))

    def known_hosts() -> Mapping[str, HostSettings]:
        from cluster_forge.adapters.credentials import host_settings

        return host_settings.of_helm(_user_files())

    options = settings.network
    policy = Policy(retries=options.retries, timeouts=Timeouts(whole=options.timeout), ca_file=options.ca_file or "")
    return HttpDownloads(policy, authorization=authorization, transfers=settings.transfers, known_hosts=known_hosts)


def use_registries(
    downloads: OfflineDownloads | HttpDownloads, workspace: Path, registries: Sequence[RegistrySettings]
) -> None:
    """Hand the settings of hosts to the client, with the paths of their files on this machine.

    Raises:
        DescriptionError, ExceptionGroup: for each file that is not there, or behind a link out of the workspace.
    """
    if not registries:
        return
    from cluster_forge.adapters.credentials import host_settings

    downloads.configure(host_settings.of_description(workspace, registries))


def registry_of(downloads: OfflineDownloads | HttpDownloads, address: str) -> Registry:
    """Registries, by the connections of the downloads; with the login of an address, if it has one."""
    from cluster_forge.adapters.http.downloads import HttpDownloads

    if isinstance(downloads, HttpDownloads):
        from cluster_forge.adapters.registry.reader import RegistryReader

        login, at, _ = urlsplit(address).netloc.rpartition("@")
        return RegistryReader(downloads.client, f"{login}{at}")
    from cluster_forge.adapters.registry.offline import OfflineRegistry

    return OfflineRegistry()


def credentials() -> Credentials:
    """The credentials that this user has."""
    from cluster_forge.adapters.credentials.lookup import UserCredentials

    return UserCredentials(_user_files())


def git_credentials() -> Credentials:
    """The credentials that this user has and Git does not know."""
    from cluster_forge.adapters.credentials.lookup import UserCredentials

    return UserCredentials(_user_files(), for_git=True)


def credential_keeper() -> CredentialKeeper:
    """Where `login` keeps passwords."""
    from cluster_forge.adapters.credentials.auth_file_keeper import AuthFileKeeper

    return AuthFileKeeper(_user_files())


def logins(settings: Settings, registries: Sequence[RegistrySettings] = ()) -> Logins:
    """Tries logins, with what the description says about hosts.

    Raises:
        DescriptionError, ExceptionGroup: for each file of ``registries`` that is not there.
    """
    from cluster_forge.adapters.credentials import host_settings
    from cluster_forge.adapters.credentials.login_trials import HttpLogins

    hosts = host_settings.of_description(settings.workspace, registries)

    def client_with(credentials: Credentials) -> HttpClient:
        network = _network(settings, lambda: credentials)
        network.configure(hosts)
        return network.client

    return HttpLogins(client_with, credentials())


def _user_files() -> UserFiles:
    from cluster_forge.adapters.credentials.user_files import UserFiles

    try:
        home = Path.home()
    except RuntimeError:  # many containers have none
        return UserFiles(os.environ, None)
    return UserFiles(os.environ, home)
