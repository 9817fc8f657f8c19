"""Where an API server is, and who asks it: what a context of a kubeconfig says, as values. Secrets are not in their ``repr``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class InteractiveMode(StrEnum):
    """Whether a credential plug-in needs a terminal."""

    NEVER = "Never"
    IF_AVAILABLE = "IfAvailable"
    ALWAYS = "Always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pem:
    """Certificates or a key in PEM format: ``content``, or else what is in ``file`` whenever it is needed. ``where`` it is from."""

    where: str
    content: bytes = field(default=b"", repr=False)
    file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEntry:
    """A server and whose certificates are trusted for it (the system's authorities without ``authority``).

    ``plain`` is the entry as ``provideClusterInfo`` gives it to a plug-in.
    """

    name: str
    where: str
    server: str
    authority: Pem | None = None
    is_insecure: bool = False
    server_name: str = ""
    proxy: str = field(default="", repr=False)
    plain: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecPlugin:
    """A program that gives credentials (KEP-541). ``folder``: of the kubeconfig that names it."""

    where: str
    api_version: str
    command: str
    folder: Path
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    mode: InteractiveMode = InteractiveMode.IF_AVAILABLE
    gets_cluster: bool = False
    install_hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impersonation:
    """The user that requests are made as, by another one who may impersonate it."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEntry:
    """What proves who the user is; of several ways the first: token, password, plug-in. A certificate goes with each."""

    name: str = ""
    where: str = ""
    certificate: Pem | None = None
    key: Pem | None = None
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    login: str = ""
    password: str = field(default="", repr=False)
    plugin: ExecPlugin | None = None
    impersonation: Impersonation = field(default_factory=Impersonation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A cluster as a user. ``context`` is empty where no kubeconfig names it (in a Pod)."""

    context: str
    cluster: ClusterEntry
    user: UserEntry

    @property
    def where(self) -> str:
        """For errors: ``context 'kind-kind' (/home/me/.kube/config)``."""
        return f"context {self.context!r} ({self.cluster.where})" if self.context else self.cluster.where
