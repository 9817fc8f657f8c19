"""What a description may ask for, and nothing does yet."""

from __future__ import annotations

import pytest

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.parse import parse_description

HEAD = "apiVersion: cluster-forge/v1\nkind: Stack\nname: shop\n"


def read(text: str) -> None:
    parse_description(InputFiles({"input/config.yaml": (HEAD + text).encode()}.get))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gitops: {engine: flux}\n", "`engine: flux` is not supported yet"),
        ("image: {base: example.com/base:1}\n", "`base` is not supported yet"),
        ("gitops: {source: oci}\n", "requires the URL of a repository"),
    ],
)
def test_unsupported_settings_are_errors_with_their_line(text: str, message: str) -> None:
    with pytest.raises(DescriptionError, match=message) as caught:
        read(text)
    assert caught.value.where == "input/config.yaml:4"
    assert caught.value.fix


def test_an_image_repository_is_the_url_for_oci() -> None:
    read("gitops: {source: oci}\nimage: {repository: registry.example.com/shop}\n")
