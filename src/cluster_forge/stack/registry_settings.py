"""What the description says about single hosts: how registries and repositories are reached that are not like others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """An entry of ``registries``: ``host`` has the port if one is written. The files are paths in the workspace.

    ``where`` is its ``file:line``.
    """

    host: str
    plain_http: bool = False
    insecure: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    where: str = ""
