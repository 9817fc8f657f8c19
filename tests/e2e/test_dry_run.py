"""A real API server takes every object of every collection: a server-side apply as a dry run, with strict fields."""

from __future__ import annotations

import pytest
from tests.corpus.conftest import Workspaces
from tests.e2e import program
from tests.e2e.api_server import ApiServer

from cluster_forge.adapters.helm_engine import HelmEngineInProcess
from cluster_forge.adapters.makers import DirectMaker
from cluster_forge.adapters.yaml_fast import FastYaml
from cluster_forge.adapters.yaml_go import GoYaml
from cluster_forge.adapters.yaml_python import PythonYaml
from cluster_forge.catalog.library import packaged
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.ports import Maker

pytestmark = pytest.mark.e2e
COLLECTIONS = sorted(packaged().collections)


@pytest.fixture(scope="module")
def maker() -> Maker:
    """One for all stacks, in this process."""
    return DirectMaker(HelmEngineInProcess(), FastYaml(GoYaml(PythonYaml())))


@pytest.mark.parametrize(("name", "size"), [*((name, "large") for name in COLLECTIONS), ("platform", "small")])
def test_the_server_takes_every_object(
    workspaces: Workspaces, maker: Maker, api_server: ApiServer, name: str, size: str
) -> None:
    _, _, minor = program.kubernetes()
    forged = workspaces.forge(workspaces.begin(name, size=size, minor=minor, domain="example.com"), maker=maker)
    refusals = api_server.refusals(each for part in forged.smelted.parts for each in part.manifests)
    if refusals:
        pytest.fail("\n".join([f"{len(refusals)} objects are refused:", *map(str, refusals)]), pytrace=False)


def test_a_field_that_the_kind_does_not_have_is_refused(api_server: ApiServer) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}, "date": {}}
    manifest = Manifest.of(body, Provenance(component=ComponentName("shop"), origin="a.yaml"))
    (refusal,) = api_server.refusals([manifest])
    assert "shop: ConfigMap/default/a: " in str(refusal)
    assert ".date: field not declared in schema" in str(refusal)
