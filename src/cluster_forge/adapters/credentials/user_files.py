"""Files of the user with credentials: where they are, and reading them whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import reading
from cluster_forge.foundation.errors import CredentialError, WorkspaceError

_LARGEST: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class UserFiles:
    """The places of other programs' files, as these programs find them by the environment; ``home`` is None without one."""

    environment: Mapping[str, str]
    home: Path | None

    @property
    def docker(self) -> Path | None:
        """Docker's file (``docker login``)."""
        folder = self._variable("DOCKER_CONFIG") or self._below_home(".docker")
        return folder / "config.json" if folder else None

    @property
    def podman(self) -> list[Path]:
        """Podman's, Buildah's and Skopeo's files, the first one first (containers-auth.json(5))."""
        named = self._variable("REGISTRY_AUTH_FILE")
        runtime = self._variable("XDG_RUNTIME_DIR")
        folders = (runtime, self._variable("XDG_CONFIG_HOME") or self._below_home(".config"))
        return [named] if named else [folder / "containers" / "auth.json" for folder in folders if folder]

    @property
    def helm_registries(self) -> Path | None:
        """Helm's file for registries (``helm registry login``)."""
        return self._of_helm("HELM_REGISTRY_CONFIG", "registry/config.json")

    @property
    def helm_repositories(self) -> Path | None:
        """Helm's file for repositories (``helm repo add``)."""
        return self._of_helm("HELM_REPOSITORY_CONFIG", "repositories.yaml")

    @property
    def netrc(self) -> Path | None:
        """Curl's file: ``.netrc``; on Windows also ``_netrc``."""
        below_home = self._below_home(".netrc")
        if sys.platform == "win32" and below_home and not below_home.exists():
            below_home = below_home.with_name("_netrc")
        return self._variable("NETRC") or below_home

    def shown(self, path: Path) -> str:
        """The path for messages, below the home folder with ``~``."""
        if self.home and path.is_relative_to(self.home):
            return f"~/{path.relative_to(self.home).as_posix()}"
        return str(path)

    def read(self, path: Path | None) -> bytes | None:
        """The content of a file; None if it does not exist.

        Raises:
            CredentialError: if it cannot be read.
        """
        if path is None:
            return None
        try:
            return reading.file(str(path), _LARGEST)[0]
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, WorkspaceError) as error:
            reason = error.message if isinstance(error, WorkspaceError) else error.strerror
            raise CredentialError(
                f"the file with credentials cannot be read: {reason}",
                where=self.shown(path),
                fix="correct its permissions, or move it away",
            ) from error

    def damaged(self, path: Path, what: str) -> CredentialError:
        """The error for a file with another content than it should have; ``what`` quotes nothing of it."""
        return CredentialError(
            f"the file with credentials is damaged: {what}",
            where=self.shown(path),
            fix="correct it, or move it away and log in again",
        )

    def _of_helm(self, variable: str, name: str) -> Path | None:
        """A file in Helm's folder (its package ``helmpath``)."""
        folder = self._variable("HELM_CONFIG_HOME")
        if not folder:
            base = self._variable("XDG_CONFIG_HOME") or self._default_config()
            folder = base / "helm" if base else None
        return self._variable(variable) or (folder / name if folder else None)

    def _default_config(self) -> Path | None:
        if sys.platform == "darwin":
            return self._below_home("Library/Preferences")
        return self._variable("APPDATA") if os.name == "nt" else self._below_home(".config")

    def _variable(self, name: str) -> Path | None:
        """An absolute path from the environment: a relative one would be in whatever folder one is in, such as a workspace."""
        path = Path(self.environment.get(name, ""))
        return path if path.is_absolute() else None

    def _below_home(self, name: str) -> Path | None:
        return self.home / name if self.home else None
