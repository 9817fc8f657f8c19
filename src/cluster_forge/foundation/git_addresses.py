"""Addresses in Git repositories: ``git+https://host/team/repo.git@v1.2.3//charts``."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import Final, Self

from cluster_forge.foundation.addresses import is_loopback_host, is_public, without_credentials

SCHEMES: Final = ("git+https://", "git+ssh://", "git+file://", "git+http://")
EXAMPLE: Final = "git+https://git.example.com/team/repo.git@v1.2.3//path"
_PREFIX: Final = "git+"
_HOST: Final = re.compile(r"(?:[^/@\s]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][\w.-]*)(?::[0-9]{1,5})?")
"""A user, a host that no program can take for an option (CVE-2017-1000117), a port."""
_NO_REF: Final = re.compile(
    r"-|/|\.|.*(?:[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)|[/.]\Z)|@\Z", re.DOTALL
)
"""What ``git check-ref-format`` refuses, and what a program would take for an option."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT: Final = re.compile(r"(?P<login>(?:[\w.-]+@)?[A-Za-z0-9][\w.-]*):(?P<path>(?!//)\S+)")
"""SSH without a scheme: ``git@host:path``."""
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GitAddress:
    """A folder or file of a Git repository at a commit.

    ``repository`` is its URL as Git takes it, ``ref`` a branch, a tag, a full name (``refs/tags/v1``) or a commit; empty: the
    default branch. ``path`` is relative to the root of the repository; empty: all of it.
    """

    repository: str
    ref: str = ""
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``git+https://host/repo.git@REF//path``; ``@REF`` and ``//path`` may be left out.

        REF begins at the first ``@`` behind the host, as tags may have one (``shop@1.2.3``).

        Raises:
            ValueError: for anything else; the text says what is wrong.
        """
        if not text.startswith(SCHEMES) or len(text) > _LONGEST or _CONTROL.search(text):
            raise ValueError(f"it is not an address like {EXAMPLE}")
        scheme, _, rest = text.removeprefix(_PREFIX).partition("://")
        authority, slash, rest = rest.partition("/")
        place, _, path = rest.partition("//")
        place, at, ref = place.partition("@")
        _check_host(scheme, authority)
        if not place or "?" in text or "#" in text:
            raise ValueError(f"it is not an address like {EXAMPLE}")
        if at and (not ref or _NO_REF.match(ref)):
            raise ValueError(f"{ref!r} is not the name of a tag or branch, nor a commit")
        return cls(repository=f"{scheme}://{authority}{slash}{place}", ref=ref, path=inner_path(path))

    def below(self, path: str) -> Self:
        """A folder or file below this one.

        Raises:
            ValueError: if ``path`` leads out of it.
        """
        return replace(self, path=inner_path(posixpath.join(self.path, inner_path(path))))

    @property
    def key(self) -> str:
        """The address without credentials and REF, as the lock has it."""
        return str(replace(self, ref=""))

    @property
    def is_commit(self) -> bool:
        """Whether ``ref`` is the id of a commit."""
        return is_commit(self.ref)

    @property
    def host(self) -> str:
        """The host with its port; empty for a repository on this machine."""
        return without_credentials(self.repository).partition("://")[2].partition("/")[0]

    @property
    def is_local(self) -> bool:
        """Whether the repository is on this machine: reading it needs no network."""
        return self.repository.startswith("file:")

    @property
    def remote(self) -> str:
        """The repository as `git` takes it, without credentials; the user of an SSH address is none."""
        return self.repository if is_public(self.repository) else without_credentials(self.repository)

    @property
    def shown(self) -> str:
        """The address for messages: without credentials."""
        return self._with(self.remote)

    def __str__(self) -> str:
        """The address without credentials and users, as the lock has it."""
        return self._with(without_credentials(self.repository))

    def _with(self, repository: str) -> str:
        ref, path = f"@{self.ref}" if self.ref else "", f"//{self.path}" if self.path else ""
        return f"{_PREFIX}{repository}{ref}{path}"


def is_git(address: str) -> bool:
    """Whether an address is meant to be that of a Git tree."""
    return address.startswith(_PREFIX)


def is_ref(text: str) -> bool:
    """Whether a text can be the name of a branch or tag (git-check-ref-format)."""
    return bool(text) and not _NO_REF.match(text)


def as_url(address: str) -> str:
    """The address of a repository as a URL: ``git@host:path`` as ``ssh://git@host/path`` (git-clone, "Git URLs")."""
    match = _SHORT.fullmatch(address)
    return f"ssh://{match['login']}/{match['path'].lstrip('/')}" if match else address


def is_commit(text: str) -> bool:
    """Whether a text is the whole id of a commit."""
    return bool(_COMMIT.fullmatch(text))


def _check_host(scheme: str, authority: str) -> None:
    if scheme == "file":
        if authority not in ("", "localhost"):
            raise ValueError("it names another machine: write git+file:///PATH, with three slashes")
        return
    match = _HOST.fullmatch(authority)
    if not match:
        raise ValueError("it has no host")
    if scheme == "http" and not is_loopback_host(match["host"]):
        raise ValueError("git+http:// is not encrypted, and only followed on this machine: write git+https://")


def inner_path(path: str) -> str:
    """A path in a repository, normalized; empty for its root.

    Raises:
        ValueError: if it is absolute or has a ``..``.
    """
    if path.startswith("/") or ".." in path.split("/") or _CONTROL.search(path):
        raise ValueError(f"{path!r} is not a path in the repository")
    normal = posixpath.normpath(path)
    return "" if normal == "." else normal
