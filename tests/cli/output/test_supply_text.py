"""What `push --git` prints of where it has pushed to."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.cli.output import supply_text
from cluster_forge.cli.output.terminal_text import shown
from cluster_forge.foundation.addresses import masked_values
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.ports.git import Published
from cluster_forge.stages.supply.push_git import GitPushRequest, GitPushResult

PUBLISHED = Published(commit="a" * 40, tagged="a" * 40, is_new=True, is_tag_new=True)


@pytest.mark.parametrize(
    ("address", "printed"),
    [
        ("git+ssh://git@git.example.com:22/team/p.git", "git+ssh://git@git.example.com:22/team/p.git"),
        ("git+https://git.example.com/team/p.git", "git+https://git.example.com/team/p.git"),
        ("git+ssh://git:secret@git.example.com/p.git", "git+ssh://git.example.com/p.git"),
        ("git+https://token@git.example.com/p.git", "git+https://git.example.com/p.git"),
    ],
)
def test_the_repository_is_printed_with_the_user_of_ssh_and_no_secret(address: str, printed: str) -> None:
    request = GitPushRequest(folder="stacks/p", address=GitAddress.parse(address), path="", branch="main", base="main")
    result = GitPushResult(version="v-1", path="", files=3, published=PUBLISHED)
    first, *_ = supply_text.pushed_to_git(request, result)
    assert str(shown(first)) == f"{printed} has 3 files:"
    document: Any = masked_values(supply_text.pushed_to_git_json(request, result))
    assert document["repository"] == printed
