"""login and auth status: whether servers take the credentials of this user."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cluster_forge.foundation import addresses
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import CredentialError, ImageError
from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.credentials import (
    Credential,
    CredentialKeeper,
    Credentials,
    Logins,
    Trial,
    Verdict,
)
from cluster_forge.ports.workers import Workers
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import RepositorySource, Stack

_OCI: Final = "oci://"
_HTTP: Final = ("https://", "http://")
_NO_SERVER: Final = (404, 405)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An address that a stack needs: what it is called, what is asked there (empty: it cannot be tried), and for what."""

    address: str
    question: str
    purpose: str

    @property
    def host(self) -> str:
        return addresses.host_of(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """The credential that would be used for a server, where there is one, and the trial; None: it was not tried.

    ``purposes`` are the components, ``image`` and ``gitops`` that need it.
    """

    host: str
    address: str
    credential: Credential | None
    trial: Trial | None
    purposes: tuple[str, ...]

    @property
    def is_failing(self) -> bool:
        return self.trial is not None and self.trial.verdict in (Verdict.REFUSED, Verdict.FAILED)


def servers(stack: Stack) -> list[Server]:
    """Everything that the stack is fetched from and delivered to, in its order."""
    return [*(server for component in stack.components for server in _of_component(component)), *_delivery(stack)]


def status(stack: Stack, credentials: Credentials, logins: Logins | None, workers: Workers) -> list[ServerStatus]:
    """The status of each server; those with the same host and credential count as one. Without ``logins`` none is tried."""
    grouped: dict[tuple[str, Credential | None, Trial | None], list[Server]] = {}
    for server in servers(stack):
        grouped.setdefault((server.host, *_credential(credentials, server)), []).append(server)

    def checked(entry: tuple[tuple[str, Credential | None, Trial | None], list[Server]]) -> ServerStatus:
        (host, credential, trial), members = entry
        if logins and not trial and members[0].question:
            trial = logins.attempt(members[0].question)
        return ServerStatus(
            host=host,
            address=without_credentials(members[0].address),
            credential=credential,
            trial=trial,
            purposes=tuple(dict.fromkeys(server.purpose for server in members)),
        )

    return list(workers.map(checked, grouped.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginResult:
    """Where the login is kept; ``is_verified``: the server asked for it and took it."""

    host: str
    place: str
    is_verified: bool


def login(address: str, credential: Credential, logins: Logins, keeper: CredentialKeeper) -> LoginResult:
    """Try a login, and keep it. ``address`` is a registry's host, or the address of a chart repository.

    Raises:
        ValueError: as `host_of`.
        CredentialError: if the server refuses it, or does not answer, or if it cannot be kept.
    """
    is_repository = address.startswith(_HTTP)
    host = host_of(address)
    trial = logins.attempt(_index(address) if is_repository else f"{_OCI}{host}", credential)
    if not is_repository and trial.status in _NO_SERVER:
        trial = logins.attempt(_index(f"https://{host}"), credential)
    if trial.verdict in (Verdict.REFUSED, Verdict.FAILED):
        raise CredentialError(
            f"{host}: the login is not kept: {trial.message}",
            fix="check user and password; some registries want a token instead of the password"
            if trial.verdict is Verdict.REFUSED
            else trial.fix or "check the host; for a chart repository, write its whole address",
        )
    place = keeper.keep(host, credential.user, credential.secret)
    return LoginResult(host=host, place=place, is_verified=trial.verdict is Verdict.WORKS)


def host_of(address: str) -> str:
    """The host, with its port, of a registry or repository.

    Raises:
        ValueError: if it is not one, or has a login of its own.
    """
    try:
        parts = urlsplit(address if "://" in address else f"{_OCI}{address}")
        is_host = bool(parts.hostname) and parts.scheme in ("oci", "https", "http") and parts.port != 0
    except ValueError:
        is_host = False
        parts = urlsplit("")
    if not is_host or "@" in parts.netloc or not parts.netloc.isascii():
        raise ValueError(
            f"{without_credentials(address)!r} is not a host to log in to: write `registry.example.com:5000`, "
            "or the address of a chart repository, without a login"
        )
    return parts.netloc.lower()


def _credential(credentials: Credentials, server: Server) -> tuple[Credential | None, Trial | None]:
    """The credential for a server; if it cannot be looked up, that is the trial."""
    if not server.question:
        return None, None
    try:
        return credentials.of(server.question), None
    except CredentialError as error:
        return None, Trial(verdict=Verdict.FAILED, message=str(error), fix=error.fix or "")


def _of_component(component: Component) -> Iterator[Server]:
    for source in (component, component.upstream):
        helm = source.helm if source else None
        if helm and helm.repository.startswith(_OCI):
            yield _server(f"{helm.repository.rstrip('/')}/{helm.chart}", component.name)
        elif helm and helm.repository.startswith(_HTTP):
            yield _server(helm.repository, component.name, question=_index(helm.repository))
        elif helm and is_git(helm.repository):
            yield _server(helm.repository, component.name)
    others = [address for source in (component, component.upstream) if source for address in source.manifests]
    others += [component.kustomize.path, *component.kustomize.urls] if component.kustomize else []
    yield from (_server(address, component.name) for address in others if "://" in address)


def _delivery(stack: Stack) -> Iterator[Server]:
    image, gitops = stack.image, stack.gitops
    if image.base:
        yield _server(f"{_OCI}{image.base.name}", "image.base")
    if image.repository:
        with contextlib.suppress(ImageError):  # `cast` reports it
            yield _server(f"{_OCI}{ImageReference.parse(image.repository.removeprefix(_OCI)).name}", "image")
    if gitops.url and gitops.source is RepositorySource.EXTERNAL:
        yield _server(f"git+{gitops.url}" if gitops.url.startswith(_HTTP) else gitops.url, "gitops")
    elif gitops.url and gitops.source is RepositorySource.OCI:
        yield _server(gitops.url, "gitops")


def _server(address: str, purpose: str, *, question: str | None = None) -> Server:
    return Server(address=address, question=_question(address) if question is None else question, purpose=purpose)


def _question(address: str) -> str:
    """What is asked at an address; empty for one that is not reached by HTTP: what SSH uses is not tried."""
    if is_git(address):
        with contextlib.suppress(ValueError):
            address = f"{GitAddress.parse(address).repository}/info/refs?service=git-upload-pack"
    return address if address.startswith((_OCI, *_HTTP)) else ""


def _index(address: str) -> str:
    """Where the index of a chart repository is; what is not an address stays as it is."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return parts._replace(path=f"{parts.path.rstrip('/')}/index.yaml").geturl()


def failing(statuses: Iterable[ServerStatus]) -> bool:
    """Whether one of them does not work."""
    return any(server.is_failing for server in statuses)
