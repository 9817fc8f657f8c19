"""Addresses of Git trees, and what is refused before a program sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.git_addresses import GitAddress


@pytest.mark.parametrize(
    ("text", "repository", "ref", "path"),
    [
        ("git+https://h/t/r.git@v1//charts/", "https://h/t/r.git", "v1", "charts"),
        ("git+https://h/r", "https://h/r", "", ""),
        ("git+ssh://git@h:22/r.git@release/1.2//a/./b", "ssh://git@h:22/r.git", "release/1.2", "a/b"),
        ("git+file:///srv/r@shop@1.2//.hidden/x", "file:///srv/r", "shop@1.2", ".hidden/x"),
        ("git+http://127.0.0.1:80/r@v1//.", "http://127.0.0.1:80/r", "v1", ""),
        ("git+https://[::1]:8443/r@refs/tags/v1", "https://[::1]:8443/r", "refs/tags/v1", ""),
    ],
)
def test_the_parts_of_an_address(text: str, repository: str, ref: str, path: str) -> None:
    assert GitAddress.parse(text) == GitAddress(repository=repository, ref=ref, path=path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("git+https://h", "not an address like"),
        ("git+ext://sh -c x/r", "not an address like"),
        ("git+https://h/r@", "'' is not the name of a tag"),
        ("git+https://h/r@--upload-pack=x", "is not the name of a tag"),
        ("git+https://h/r@a..b", "is not the name of a tag"),
        ("git+https://h/r@a:b", "is not the name of a tag"),
        ("git+https://h/r@x.lock", "is not the name of a tag"),
        ("git+https://h/r@v1//../x", "is not a path in the repository"),
        ("git+https://h/r?token=x", "not an address like"),
        ("git+https://h/r\nx", "not an address like"),
        ("git+ssh://-oProxyCommand=x/r", "it has no host"),
        ("git+ssh://git@-oProxyCommand=x/r", "it has no host"),
        ("git+file://server/r", "another machine"),
        ("git+http://git.example.com/r", "not encrypted"),
        ("git+http://127.0.0.1.example.com/r", "not encrypted"),
    ],
)
def test_what_is_not_an_address(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        GitAddress.parse(text)


def test_the_lock_has_neither_credentials_nor_ref() -> None:
    address = GitAddress.parse("git+https://team:s3cret@h/r.git@v1//charts")
    assert address.key == "git+https://h/r.git//charts"
    assert str(address) == "git+https://h/r.git@v1//charts"
    assert address.host == "h"


def test_a_path_below() -> None:
    address = GitAddress.parse("git+https://h/r@v1//charts")
    assert address.below("shop/").path == "charts/shop"
    assert address.below(".").path == "charts"
    with pytest.raises(ValueError, match="not a path"):
        address.below("../x")


@given(st.text(max_size=60))
def test_whatever_is_read_is_read_again(text: str) -> None:
    try:
        address = GitAddress.parse(f"git+https://git.example.com/{text}")
    except ValueError:
        return
    assert GitAddress.parse(str(address)) == address
    assert not address.ref.startswith("-")
    assert ".." not in address.path.split("/")
