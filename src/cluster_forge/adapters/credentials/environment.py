"""Credentials from environment variables: ``CLUSTER_FORGE_AUTH_<HOST>``, as pipelines give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cluster_forge.adapters.credentials.address import Address
from cluster_forge.ports.credentials import Credential, CredentialKind

_PREFIX: Final = "CLUSTER_FORGE_AUTH_"
_HOST: Final = re.compile(r"[a-z0-9.:\[\]-]+")
_SEPARATORS: Final = str.maketrans({"-": "__", ".": "_", ":": "_", "[": None, "]": None})


def variable(host: str) -> str:
    """The variable for a host: ``CLUSTER_FORGE_AUTH_MY__REGISTRY_EXAMPLE_COM_5000`` for ``my-registry.example.com:5000``.

    A hyphen becomes two underscores, as in Terraform's ``TF_TOKEN_…``: otherwise ``my-registry.example`` would get what
    is meant for ``my.registry.example``. Empty for a host that has none.
    """
    return f"{_PREFIX}{host.translate(_SEPARATORS).upper()}" if _HOST.fullmatch(host) else ""


@dataclass(frozen=True, slots=True)
class EnvironmentCredentials:
    """The value of a variable is ``user:password``, or a token that is sent as it is."""

    environment: Mapping[str, str]

    def find(self, address: Address) -> Credential | None:
        name = variable(address.host)
        user, colon, password = self.environment.get(name, "").partition(":")
        source = f"the environment variable {name}"
        if colon:
            return Credential(source=source, user=user, secret=password)
        return Credential(source=source, secret=user, kind=CredentialKind.TOKEN) if user else None
