"""The catalog's charts in OCI registries: from a live one comes what the mirror has, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.servers.pushing import Repository
from tests.servers.registry import Registry as Server
from tests.stack_sources import stack_sources

from cluster_forge.adapters.http.client import HttpClient
from cluster_forge.adapters.http.offline import OfflineDownloads
from cluster_forge.adapters.registry.reader import RegistryReader
from cluster_forge.cli.app import run
from cluster_forge.stack import lock_file
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import LockedComponent

pytestmark = pytest.mark.corpus

COMPONENTS = ("jobset", "lws", "node-feature-discovery")
"""Small ones, for whole runs of `mine`."""
Entries = Sequence[Mapping[str, str]]


@pytest.fixture(scope="module")
def pushed(corpus: Path, open_registry: Server) -> Entries:
    """The mirror's entries of charts in registries, all of which are in a registry here: `here` has their addresses."""
    listed = yaml.safe_load((corpus / "mirror/index.yaml").read_text())["charts"]
    entries: Entries = [entry for entry in listed if entry["repository"].startswith("oci://")]
    for entry in entries:
        repository = Repository(
            open_registry, here(entry["repository"], open_registry, entry["name"]).partition("/")[2]
        )
        repository.push_chart((corpus / "mirror" / entry["file"]).read_bytes(), entry["version"].replace("+", "_"))
    return entries


def here(address: str, server: Server, chart: str = "") -> str:
    """``127.0.0.1:5000/docker.io/envoyproxy`` for ``oci://docker.io/envoyproxy``."""
    return f"{server.host}/{address.removeprefix('oci://')}/{chart}".rstrip("/")


def test_every_chart_has_the_digest_of_the_mirror(pushed: Entries, open_registry: Server, tmp_path: Path) -> None:
    sources = stack_sources(tmp_path, tmp_path, OfflineDownloads(), registry=RegistryReader(HttpClient()))
    for entry in pushed:
        repository = f"oci://{here(entry['repository'], open_registry)}"
        for version in (entry["version"], f"={entry['version']}"):
            source = HelmSource(chart=entry["name"], release="x", repository=repository, version=version)
            locked = sources.chart(source, None)
            assert (locked.version, locked.digest.hex) == (entry["version"], entry["sha256"])
    assert len(pushed) >= 10


def test_mine_gives_the_same_lock_as_from_the_mirror(
    pushed: Entries, open_registry: Server, corpus: Path, tmp_path: Path
) -> None:
    live = mined(tmp_path / "live", components(pushed, open_registry))
    mirrored = mined(tmp_path / "mirrored", COMPONENTS, "--offline", "--mirror", str(corpus / "mirror"))
    assert sorted(live) == sorted(mirrored) == sorted(COMPONENTS)
    for name, component in live.items():
        assert [source.digest for source in component.sources] == [source.digest for source in mirrored[name].sources]
        assert component.sources[0].address.startswith(f"oci://{open_registry.host}/")
        assert component.required_apis == mirrored[name].required_apis


def components(pushed: Entries, server: Server) -> Sequence[Mapping[str, Any]]:
    """The catalog's components, with the repositories that are here."""
    repositories = {entry["name"]: entry["repository"] for entry in pushed}
    return [{"name": name, "helm": {"repository": f"oci://{here(repositories[name], server)}"}} for name in COMPONENTS]


def mined(folder: Path, listed: Sequence[object], *options: str) -> dict[str, LockedComponent]:
    """The lock after `mine` with these components."""
    description = {"apiVersion": "cluster-forge/v1", "kind": "Stack", "name": "demo", "gitops": {"engine": "none"}}
    (folder / "input").mkdir(parents=True)
    (folder / "input/config.yaml").write_text(yaml.safe_dump({**description, "components": listed}))
    assert run(["-C", str(folder), "mine", "-q", "--store", str(folder / "store"), *options]) == 0
    lock = lock_file.parse((folder / "cluster-forge.lock").read_text())
    return {name: component for name, component in lock.components.items() if name in COMPONENTS}
