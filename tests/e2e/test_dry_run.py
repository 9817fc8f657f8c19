"""A real API server takes every object of every collection: a server-side apply as a dry run, with strict fields."""

from __future__ import annotations

import pytest
import yaml
from tests.corpus.catalog_trials import MIRRORED
from tests.corpus.conftest import Workspaces
from tests.e2e import program
from tests.e2e.api_server import ApiServer

from cluster_forge.catalog.library import packaged
from cluster_forge.catalog.trial_plan import newest
from cluster_forge.catalog.versions import chosen_version
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance

pytestmark = pytest.mark.e2e
COLLECTIONS = packaged().collections
OTHERS = set(MIRRORED).difference(*(collection.members for collection in COLLECTIONS.values()))
STACKS = [*((name, "large") for name in sorted(COLLECTIONS) + sorted(OTHERS)), ("platform", "small")]


@pytest.mark.parametrize(("name", "size"), STACKS)
def test_the_server_takes_every_object(workspaces: Workspaces, api_server: ApiServer, name: str, size: str) -> None:
    folder = workspaces.begin(name, size=size, minor=minor_for(name), domain="example.com")
    forged = workspaces.forge(folder)
    refusals = api_server.refusals(forged.manifests)
    if refusals:
        pytest.fail("\n".join([f"{len(refusals)} objects are refused:", *map(str, refusals)]), pytrace=False)


WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.test}
spec:
  group: shop.test
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer, maximum: 3}}}}
"""
FINE = (
    WIDGETS,
    "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}}",
    "{apiVersion: shop.test/v1, kind: Widget, metadata: {name: fine, namespace: shop}, spec: {size: 3}}",
)
REFUSED = {
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, date: {}}": ".date: field not declared",
    "{apiVersion: shop.test/v1, kind: Widget, metadata: {name: b, namespace: shop}, spec: {sice: 3}}": ".spec.sice",
    "{apiVersion: shop.test/v1, kind: Widget, metadata: {name: c, namespace: shop}, spec: {size: 4}}": "spec.size",
    "{apiVersion: shop.test/v2, kind: Widget, metadata: {name: d, namespace: shop}}": "has no such kind in shop.test/v2",
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: e, namespace: office}}": 'namespaces "office" not found',
    "{apiVersion: v1, kind: Service, metadata: {name: f, namespace: shop}, spec: {ports: [{port: 0}]}}": "spec.ports[0]",
    """
    apiVersion: batch/v1
    kind: Job
    metadata: {name: g, namespace: shop}
    spec: {template: {spec: {restartPolicy: Never, hostNetwork: true, containers: [{name: g, image: g}]}}}
    """: "host namespaces (hostNetwork=true)",
    WIDGETS.replace("name: widgets", "name: gadgets"): "metadata.name",
}


def test_only_invalid_objects_are_refused(api_server: ApiServer) -> None:
    refusals = api_server.refusals(map(manifest, (*FINE, *REFUSED)))
    messages = {refusal.object: refusal.message for refusal in refusals}
    assert messages.keys() == {str(manifest(text).id) for text in REFUSED}
    for text, part in REFUSED.items():
        assert part in messages[str(manifest(text).id)]


def test_nothing_of_one_stack_is_there_for_the_next(api_server: ApiServer) -> None:
    assert api_server.refusals(map(manifest, FINE)) == []
    api_server.clear()
    widget, config = map(
        manifest, (FINE[-1], "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}}")
    )
    assert [refusal.message for refusal in api_server.refusals([widget, config])] == [
        'namespaces "shop" not found',
        "the server has no such kind in shop.test/v1",
    ]
    assert api_server.refusals(map(manifest, FINE)) == []


def minor_for(name: str) -> int:
    """The minor version of the server; for a component that has none for that, the newest that it is for."""
    _, _, minor = program.kubernetes()
    if name in COLLECTIONS or chosen_version(packaged().component(name), minor):
        return minor
    return newest(packaged().component(name))


def manifest(text: str) -> Manifest:
    return Manifest.of(yaml.safe_load(text), Provenance(component=ComponentName("shop"), origin="shop.yaml"))
