"""Hosts that are reached in their own way: what `registries` of the description, and Helm's file, change for a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.archives import archive
from tests.cli.conftest import CHART, Result, Workspace
from tests.faults.certificates import Authority, authority
from tests.faults.server import FaultServer, Site, serving


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(root: Authority) -> Iterator[FaultServer]:
    """A chart repository with a certificate of an authority that is not the system's, which wants to see one of it, too."""
    release = {"name": "shop", "version": "2.0.0", "urls": ["shop.tgz"]}
    chart = archive("shop", CHART | {"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 2.0.0\n"})
    files = {"/index.yaml": yaml.safe_dump({"entries": {"shop": [release]}}).encode(), "/shop.tgz": chart}
    with serving(Site(files=files), certificate=root.certificate("server"), client_authority=root.file) as running:
        yield running


@pytest.fixture
def shop(workspace: Workspace, server: FaultServer, root: Authority) -> Workspace:
    component = f'components:\n- {{name: shop, namespace: shop, helm: {{repository: "{server.url}", chart: shop}}}}\n'
    workspace.replace("input/config.yaml", "components:\n", component)
    (workspace.folder / "input" / "ca.pem").write_bytes(root.file.read_bytes())
    (workspace.folder / "input" / "me.pem").write_bytes(root.certificate("me").read_bytes())
    return workspace


def mine(shop: Workspace, server: FaultServer, settings: str = "", **environment: str) -> Result:
    text = f'registries: {{"127.0.0.1:{server.server_port}": {settings}}}\n' if settings else ""
    shop.replace("input/config.yaml", "gitops:", f"{text}gitops:")
    home = shop.folder.parent / "home"
    home.mkdir(exist_ok=True)
    return shop.program("mine", "--retries", "0", HOME=str(home), NO_PROXY="127.0.0.1", SSL_CERT_FILE="", **environment)


def test_without_settings_the_certificate_is_not_trusted(shop: Workspace, server: FaultServer) -> None:
    assert mine(shop, server).code == 13


def test_an_authority_and_a_certificate_of_the_workspace(shop: Workspace, server: FaultServer) -> None:
    result = mine(shop, server, "{caFile: ca.pem, certFile: me.pem}")
    assert (result.code, "insecure-source" in result.err) == (0, False), result.err


def test_without_verification_there_is_a_finding(shop: Workspace, server: FaultServer) -> None:
    result = mine(shop, server, "{insecure: true, certFile: me.pem}")
    assert (result.code, "warning[insecure-source]: input/config.yaml:" in result.err) == (0, True), result.err


def test_a_finding_may_be_accepted(shop: Workspace, server: FaultServer) -> None:
    shop.replace("input/config.yaml", "gitops:", "checks: {ignore: [{code: insecure-source, reason: a test}]}\ngitops:")
    result = mine(shop, server, "{insecure: true, certFile: me.pem}")
    assert (result.code, "insecure-source" in result.err) == (0, False), result.err


def test_a_file_that_is_not_there_is_an_error_of_the_description(shop: Workspace, server: FaultServer) -> None:
    result = mine(shop, server, "{caFile: missing.pem}")
    assert (result.code, "input/missing.pem is not a file" in result.err) == (10, True), result.err


def test_certificates_of_helms_repositories_are_used(shop: Workspace, server: FaultServer, tmp_path: Path) -> None:
    certificates = {"caFile": str(shop.folder / "input/ca.pem"), "certFile": str(shop.folder / "input/me.pem")}
    file = tmp_path / "repositories.yaml"
    file.write_text(yaml.safe_dump({"repositories": [{"name": "s", "url": server.url, **certificates}]}))
    assert mine(shop, server, HELM_REPOSITORY_CONFIG=str(file)).code == 0
    unverified = {"certFile": certificates["certFile"], "insecure_skip_tls_verify": True}
    file.write_text(yaml.safe_dump({"repositories": [{"url": server.url, **unverified}]}))
    (shop.folder / "cluster-forge.lock").unlink()
    refused = mine(shop, server, HELM_REPOSITORY_CONFIG=str(file), XDG_CACHE_HOME=str(tmp_path / "empty"))
    assert refused.code == 13
