"""Files with logins in Docker's format, which Podman and Helm use, too."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cluster_forge.adapters.credentials.address import HUB_KEY, Address, key
from cluster_forge.adapters.credentials.helper_programs import DockerHelper
from cluster_forge.adapters.credentials.user_files import UserFiles
from cluster_forge.oci.reference import DOCKER_HUB
from cluster_forge.ports.credentials import Credential, CredentialKind

_AUTHS: Final = "auths"


class AuthFile:
    """One file: ``auths`` with logins, ``credHelpers`` and ``credsStore`` with programs that have them.

    It is read once, when it is first needed. A program is asked once for each host.
    """

    def __init__(self, path: Path, files: UserFiles) -> None:
        self.path = path
        self.shown = files.shown(path)
        self._files = files
        self._from_helpers: dict[str, Credential | None] = {}

    def find(self, address: Address) -> Credential | None:
        """The login for an address: that of a program, else the one in the file for the longest part of the path.

        Raises:
            CredentialError: if the file or its program cannot be read.
        """
        helper = self.helper(address.host)
        if helper:
            if address.host not in self._from_helpers:
                self._from_helpers[address.host] = helper.get(server(address.host))
            if credential := self._from_helpers[address.host]:
                return credential
        matching = [
            (path, entry) for host, path, entry in self._entries() if host == address.host and address.is_below(path)
        ]
        for _, entry in sorted(matching, key=lambda pair: -len(pair[0])):
            if credential := self._login(entry):
                return credential
        return None

    def helper(self, host: str) -> DockerHelper | None:
        """The program that has the logins of a host. An empty name for one host takes it out of ``credsStore``, as in Docker.

        Raises:
            CredentialError: if the file cannot be read.
        """
        helpers = self._section("credHelpers")
        named = [name for text, name in helpers.items() if self._is_host(text, host)]
        name = named[0] if named else self.content.get("credsStore")
        return DockerHelper(name, self.shown, self._files.environment) if isinstance(name, str) and name else None

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """What is in the file; nothing if it does not exist."""
        text = self._files.read(self.path)
        if not (text or b"").strip():
            return {}
        try:
            content = json.loads(text or b"")
        except (ValueError, RecursionError) as error:
            raise self._files.damaged(self.path, "it is not JSON") from error
        if not isinstance(content, dict):
            raise self._files.damaged(self.path, "it is not a JSON object")
        return content

    @property
    def logins(self) -> Mapping[str, Any]:
        """The section ``auths``.

        Raises:
            CredentialError: if the file cannot be read.
        """
        return self._section(_AUTHS)

    def keys_of(self, host: str) -> list[str]:
        """The keys of ``auths`` that stand for a host, whatever their spelling; not those of a part of it.

        Raises:
            CredentialError: if the file cannot be read.
        """
        return [text for text in self.logins if self._is_host(text, host)]

    def _entries(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for text, entry in self.logins.items():
            try:
                host, path = key(text)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield host, path, entry

    def _login(self, entry: Mapping[str, Any]) -> Credential | None:
        """The login of an entry (``AuthConfig`` of Docker's package ``configfile``); None if it is empty."""
        for member, kind in (("registrytoken", CredentialKind.TOKEN), ("identitytoken", CredentialKind.IDENTITY_TOKEN)):
            token = entry.get(member)
            if isinstance(token, str) and token:
                return Credential(source=self.shown, secret=token, kind=kind)
        user, password = entry.get("username"), entry.get("password")
        encoded = entry.get("auth")
        if isinstance(encoded, str) and encoded:
            try:
                user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, ValueError) as error:
                raise self._files.damaged(self.path, "a member `auth` is not user:password in Base64") from error
            if not colon:
                raise self._files.damaged(self.path, "a member `auth` is not user:password in Base64")
            password = password.strip("\0")
        if not isinstance(user, str) or not isinstance(password, str) or not password:
            return None
        return Credential(source=self.shown, user=user, secret=password)

    def _section(self, name: str) -> Mapping[str, Any]:
        section = self.content.get(name) or {}
        if not isinstance(section, dict):
            raise self._files.damaged(self.path, f"`{name}` is not a JSON object")
        return section

    @staticmethod
    def _is_host(text: str, host: str) -> bool:
        try:
            return key(text) == (host, "")
        except ValueError:
            return False


def server(host: str) -> str:
    """What Docker calls a host in its file and for its helpers."""
    return HUB_KEY if host == DOCKER_HUB else host
