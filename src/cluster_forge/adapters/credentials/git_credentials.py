"""Git's credential helpers, asked by ``git credential fill`` (gitcredentials(7))."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cluster_forge.adapters.credentials import helper_programs
from cluster_forge.adapters.credentials.address import Address
from cluster_forge.ports.credentials import Credential

_SILENT: Final = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "GCM_INTERACTIVE": "never"}
"""No question on a terminal, in a window or in a browser."""
_OF_REPOSITORY: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_COMMON_DIR")
"""Variables that would make a repository's configuration count, in which others may have named programs."""


class GitCredentials:
    """What Git would use for ``https://`` addresses. Each host and path is asked for once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        kept = {name: value for name, value in environment.items() if name not in _OF_REPOSITORY}
        self._environment = {**kept, **_SILENT}
        self._found: dict[Address, Credential | None] = {}

    def find(self, address: Address) -> Credential | None:
        """The login for an address; None if Git is not installed, or has none.

        Raises:
            CredentialError: if it does not answer.
        """
        if address.scheme != "https":
            return None
        if address not in self._found:
            self._found[address] = self._fill(address)
        return self._found[address]

    def _fill(self, address: Address) -> Credential | None:
        git = helper_programs.found("git", self._environment)
        request = f"protocol={address.scheme}\nhost={address.host}\npath={address.path}\n\n"
        if not git or request.count("\n") != 4 or "\0" in request:
            return None
        output = helper_programs.run([git, "-c", "core.askPass=", "credential", "fill"], request, self._environment)
        if output.code:
            return None
        fields = _fields(output.text)
        user, password = fields.get("username", ""), fields.get("password", "")
        return Credential(source="Git's credential helper", user=user, secret=password) if password else None


def _fields(text: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in text.splitlines())
