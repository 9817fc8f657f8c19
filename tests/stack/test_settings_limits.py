"""What a description may not ask for."""

from __future__ import annotations

import pytest

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.parse import parse_description
from cluster_forge.stack.selection import Selection

HEAD = "apiVersion: cluster-forge/v1\nkind: Stack\nname: shop\n"


def read(text: str, environment: str | None = None) -> None:
    files = InputFiles({"input/config.yaml": (HEAD + text).encode()}.get)
    parse_description(files, Selection(environment=environment))


def test_a_base_may_be_an_address() -> None:
    read("image: {base: 'oci://registry.example.com/tools:1'}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gitops: {engine: flux}\n", "Flux cannot read `source: internal`"),
        ("gitops: {engine: flux, source: internal}\n", "Flux cannot read `source: internal`"),
        ("gitops: {engine: flux, source: image}\n", "Flux cannot read `source: image`"),
        ("gitops: {source: image}\nimage: {base: a.example.com/git:1}\n", "requires `image.repository`"),
        ("gitops: {source: image}\nimage: {repository: a.example.com/team/a}\n", "requires `image.base`"),
        ("gitops: {path: ../up}\n", "`path: ../up` cannot name a folder of the repository"),
        ("gitops: {path: /a}\n", "`path: /a` cannot name a folder"),
        ("gitops: {path: a//b}\n", "`path: a//b` cannot name a folder"),
        ("gitops: {branch: a..b}\n", "`branch: a..b` cannot name a branch"),
        ("gitops: {branch: -f}\n", "`branch: -f` cannot name a branch"),
        ("gitops: {secret: A_b}\n", "`secret: A_b` cannot name the name of a Secret"),
        ("image: {base: example.com/Base:1}\n", "image: `base`: 'example.com/Base:1' is not an image reference"),
        ("image: {base: 'example.com/base:1@sha256:12'}\n", "'sha256:12' is not a sha256 digest"),
        ("gitops: {source: oci}\n", "requires the URL of a repository"),
    ],
)
def test_unsupported_settings_are_errors_with_their_line(text: str, message: str) -> None:
    with pytest.raises(DescriptionError, match=message) as caught:
        read(text)
    assert caught.value.where == "input/config.yaml:4"
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("gitops: {source: external, url: 'https://me:canary@git.example/x.git'}", "url: https://git.example/x.git"),
        ("gitops: {url: 'https://canary@git.example/x.git'}", "argocd.argoproj.io/secret-type=repository"),
        ("gitops: {url: 'ssh://git:canary@git.example/x.git'}", "--from-literal=url=ssh://git.example/x.git"),
        ("gitops: {url: 'https://git.example/x.git?private_token=canary'}", "url: https://git.example/x.git"),
        ("gitops: {engine: none, url: 'https://git.example/x.git#token=canary'}", "url: https://git.example/x.git"),
        ("image: {base: 'me:canary@registry.example/x:1'}", "base: registry.example/x:1"),
        (
            "gitops: {source: oci}\nimage: {repository: 'me:canary@registry.example/x'}",
            "repository: registry.example/x",
        ),
        ("image: {repository: 'https://me:canary@registry.example/x'}", "repository: https://registry.example/x"),
        ("environments: {p: {gitops: {url: 'https://me:canary@git.example/x.git'}}}", "url: https://git.example/x.git"),
    ],
)
def test_credentials_in_published_addresses_are_refused(text: str, fix: str) -> None:
    environment = "p" if "environments" in text else None
    with pytest.raises(DescriptionError, match="has a user, password or query") as caught:
        read(f"{text}\n", environment)
    assert fix in (caught.value.fix or "")
    assert "canary" not in f"{caught.value} {caught.value.fix}"
    assert (caught.value.where or "").startswith("input/config.yaml:")


@pytest.mark.parametrize(
    "url", ["git@git.example:team/x.git", "ssh://git@git.example:22/x.git", "https://git.example/x"]
)
def test_other_published_addresses_are_taken(url: str) -> None:
    read(f"gitops: {{source: external, url: '{url}'}}\n")


def test_an_image_repository_is_the_url_for_oci() -> None:
    read("gitops: {source: oci}\nimage: {repository: registry.example.com/shop}\n")
