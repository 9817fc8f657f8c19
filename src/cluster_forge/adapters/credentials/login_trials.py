"""Trying a login: what a server answers to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cluster_forge.adapters.http.client import HttpClient
from cluster_forge.adapters.http.origins import registry_scheme
from cluster_forge.foundation.errors import CredentialError, FetchError
from cluster_forge.oci.reference import DOCKER_HUB_API, DOCKER_HUB_HOSTS
from cluster_forge.ports.credentials import Credential, Credentials, Trial, Verdict

_OCI: Final = "oci://"
_REFUSED: Final = (401, 403)


@dataclass(frozen=True, slots=True)
class HttpLogins:
    """`ports.Logins`. ``client_with`` makes a client that answers challenges with these credentials."""

    client_with: Callable[[Credentials], HttpClient]
    users: Credentials

    def attempt(self, address: str, credential: Credential | None = None) -> Trial:
        watched = _Watched(self.users, credential)
        client = self.client_with(watched)
        try:
            url, scope = _registry(address, client) if address.startswith(_OCI) else (address, "")
            with client.send("GET", url, scope=scope) as response:
                status = response.status
                failure = response.failure() if status >= 400 else None
        except (FetchError, CredentialError) as error:
            refused = watched.was_asked and isinstance(error, FetchError) and watched.last is not None
            return Trial(
                verdict=Verdict.REFUSED if refused else Verdict.FAILED, message=error.message, fix=error.fix or ""
            )
        if failure and (status in _REFUSED or not (address.startswith(_OCI) and status == 404)):
            verdict = Verdict.REFUSED if status in _REFUSED else Verdict.FAILED
            return Trial(verdict=verdict, message=failure.message, fix=failure.fix or "", status=status)
        return Trial(verdict=Verdict.WORKS if watched.was_asked else Verdict.NOT_ASKED, status=status)


class _Watched:
    """Credentials that know whether a server asked for one: nothing is looked up before that."""

    def __init__(self, users: Credentials, given: Credential | None) -> None:
        self._users = users
        self._given = given
        self.was_asked = False
        self.last: Credential | None = None

    def of(self, url: str) -> Credential | None:
        self.was_asked = True
        self.last = self._given or self._users.of(url)
        return self.last


def _registry(address: str, client: HttpClient) -> tuple[str, str]:
    """What is asked of a registry, and the scope: its version (distribution-spec, end-1), or a repository's first tag."""
    host, _, repository = address.removeprefix(_OCI).strip("/").partition("/")
    name = DOCKER_HUB_API if host in DOCKER_HUB_HOSTS else host
    scheme = registry_scheme(name, client.settings(f"http://{name}"))
    if not repository:
        return f"{scheme}://{name}/v2/", ""
    return f"{scheme}://{name}/v2/{repository}/tags/list?n=1", f"repository:{repository}:pull"
