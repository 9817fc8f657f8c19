"""What is said about a call of git that failed."""

from __future__ import annotations

import pytest

from cluster_forge.adapters.git import failures
from cluster_forge.adapters.git.program import GitError
from cluster_forge.foundation.git_addresses import GitAddress


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("git+ssh://git@git.test:2222/team/r.git@v1//a", "ssh://git@git.test:2222/team/r.git"),
        ("git+ssh://git:pw@git.test/r.git@v1", "ssh://git.test/r.git"),
        ("git+https://me:pw@git.test/r.git@v1", "https://git.test/r.git"),
    ],
)
def test_the_command_to_try_has_the_user_of_ssh_and_no_password(address: str, url: str) -> None:
    error = failures.of(GitError("fatal: Connection refused"), GitAddress.parse(address))
    assert error.fix
    assert error.fix.endswith(f"`git ls-remote {url}`")
