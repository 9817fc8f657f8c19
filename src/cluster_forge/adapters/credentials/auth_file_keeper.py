"""Keeping passwords where Docker does: with its credential helper, or in its file."""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from cluster_forge.adapters.credentials.address import Address
from cluster_forge.adapters.credentials.auth_file import AuthFile, server
from cluster_forge.adapters.credentials.user_files import UserFiles
from cluster_forge.adapters.disk import atomic_write
from cluster_forge.foundation.errors import CredentialError

_AUTHS: Final = "auths"


class AuthFileKeeper:
    """`ports.CredentialKeeper` with Docker's file. What else is in it stays; it is replaced as a whole, with mode 0600."""

    def __init__(self, files: UserFiles) -> None:
        self._files = files

    def keep(self, host: str, user: str, password: str) -> str:
        file, host = self._file(), Address.parse(host).host
        helper = file.helper(host)
        if helper:
            helper.store(server(host), user, password)
            self._replace(file, file.keys_of(host), {server(host): {}})
            return f"the credential helper {helper.program}"
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._replace(file, file.keys_of(host), {server(host): {"auth": encoded}})
        return file.shown

    def forget(self, host: str) -> str:
        file, host = self._file(), Address.parse(host).host
        helper, keys = file.helper(host), file.keys_of(host)
        is_kept = helper is not None and helper.get(server(host)) is not None
        if helper and is_kept:
            helper.erase(server(host))
        if keys:
            self._replace(file, keys, {})
        if helper and is_kept:
            return f"the credential helper {helper.program}"
        return file.shown if keys else ""

    def _file(self) -> AuthFile:
        """Docker's file, as it is now.

        Raises:
            CredentialError: if there is no place for it.
        """
        if not self._files.docker:
            raise CredentialError(
                "there is no place for the login: this user has no home folder",
                fix="name a folder: DOCKER_CONFIG=DIR, or set CLUSTER_FORGE_AUTH_<HOST> instead of logging in",
            )
        return AuthFile(self._files.docker, self._files)

    def _replace(self, file: AuthFile, dropped: Iterable[str], added: dict[str, Any]) -> None:
        """Write the file with other entries in ``auths``; a link to it stays a link."""
        logins = {name: login for name, login in file.logins.items() if name not in set(dropped)}
        content = {**file.content, _AUTHS: {**logins, **added}}
        text = json.dumps(content, indent="\t", ensure_ascii=False) + "\n"
        try:
            target = Path(os.path.realpath(file.path))
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}-{os.getpid()}-{secrets.token_hex(4)}")
            atomic_write.write(target, text.encode(), draft=draft, mode=stat.S_IRUSR | stat.S_IWUSR)
        except OSError as error:
            raise CredentialError(
                f"the login cannot be written: {error.strerror}",
                where=file.shown,
                fix="correct the permissions of the file and its folder",
            ) from error
