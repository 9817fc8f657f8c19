from __future__ import annotations

import pytest

from cluster_forge.foundation.names import ComponentName
from cluster_forge.stack.component import Component, HelmSource, KustomizeSource, Upstream
from cluster_forge.stack.model import Stack
from cluster_forge.stack.registry_settings import RegistrySettings
from cluster_forge.stages.describe import source_findings


def codes(*addresses: str, repository: str = "") -> list[str]:
    helm = HelmSource(chart="web", release="web", repository=repository) if repository else None
    component = Component(name=ComponentName("web"), helm=helm, manifests=addresses, where="input/config.yaml:7")
    found = source_findings.findings(Stack(name="s", components=(component,)))
    assert all(finding.where == "input/config.yaml:7" and finding.component == "web" for finding in found)
    assert all("pw" not in f"{finding.message}{finding.fix}" for finding in found)
    return [finding.code for finding in found]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://charts.example/one", []),
        ("https://charts.example/one?sig=1", []),
        ("extras/one.yaml", []),
        ("http://charts.example/one", ["insecure-source"]),
        ("http://127.0.0.1:5000/one", []),
        ("http://localhost/one", []),
        ("http://[::1]:5000/one", []),
        ("http://127.0.0.1.evil.example/one", ["insecure-source"]),
        ("http://localhost@evil.example/one", ["credential-in-url", "insecure-source"]),
        ("https://[", []),
        ("http://[::1", ["insecure-source"]),
        ("https://me:pw@charts.example/one", ["credential-in-url"]),
        ("https://pw@charts.example/one", ["credential-in-url"]),
        ("http://me:pw@charts.example/one", ["credential-in-url", "insecure-source"]),
        ("git+https://me:pw@git.example/r.git@v1//a", ["credential-in-url"]),
        ("git+http://git.example/r.git", ["insecure-source"]),
        ("git+ssh://git@git.example/r.git", []),
        ("git+ssh://git@git.example:22/r.git@shop@1//a", []),
        ("git+ssh://git@git.example/r.git@v1//a", []),
        ("git+ssh://git:pw@git.example/r.git@v1//a", ["credential-in-url"]),
    ],
)
def test_an_address_with_a_login_or_without_tls_is_a_finding(address: str, expected: list[str]) -> None:
    assert codes(address) == expected
    if not address.startswith("extras"):
        assert codes(repository=address) == expected


def test_the_address_of_a_sourced_folder_counts_too() -> None:
    upstream = Upstream(folder="web", manifests=("http://charts.example/one.yaml",))
    stack = Stack(name="s", components=(Component(name=ComponentName("web"), upstream=upstream),))
    assert [finding.code for finding in source_findings.findings(stack)] == ["insecure-source"]


def test_the_address_of_a_kustomization_counts_too() -> None:
    kustomize = KustomizeSource(path="git+https://me:pw@git.example/r.git", remotes={"a": "http://raw.example/a.yaml"})
    stack = Stack(name="s", components=(Component(name=ComponentName("web"), kustomize=kustomize),))
    assert [finding.code for finding in source_findings.findings(stack)] == ["credential-in-url", "insecure-source"]


def test_a_host_without_tls_or_verification_is_a_finding() -> None:
    stack = Stack(
        name="s",
        registries=(
            RegistrySettings(host="a.example", plain_http=True, insecure=True, where="input/config.yaml:3"),
            RegistrySettings(host="b.example", ca_file="input/ca.pem", where="input/config.yaml:4"),
        ),
    )
    (finding,) = source_findings.findings(stack)
    assert (finding.code, finding.where) == ("insecure-source", "input/config.yaml:3")
    assert "without TLS (`plainHttp`) and without verifying its certificate" in finding.message
