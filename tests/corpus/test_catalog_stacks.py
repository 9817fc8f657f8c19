"""Stacks of the catalog's components as a whole: collections forge, and everything that is named is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.adapters.helm_engine import HelmEngineInProcess
from cluster_forge.adapters.makers import DirectMaker
from cluster_forge.adapters.yaml_fast import FastYaml
from cluster_forge.adapters.yaml_go import GoYaml
from cluster_forge.adapters.yaml_python import PythonYaml
from cluster_forge.catalog import rules
from cluster_forge.catalog.format import ALL_SIZES
from cluster_forge.catalog.library import packaged
from cluster_forge.manifests.finding import Severity

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged, Workspaces

    from cluster_forge.manifests.manifest import Manifest
    from cluster_forge.ports import Maker

pytestmark = pytest.mark.corpus
ADDRESS = re.compile(
    r"(?:(?P<scheme>[a-z+]+)://)?(?:[\w$(){}-]+\.)*(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(?![a-z0-9-])(?:\.cluster\.local)?(?::(?P<port>\d+))?"
)
PORTS = {"http": 80, "https": 443}
GIVEN = {("kubernetes", "default"), ("kube-dns", "kube-system")}
"""Services that every cluster has."""


@pytest.fixture(scope="module")
def platform(workspaces: Workspaces) -> Forged:
    return workspaces.forge(workspaces.begin("platform", size="large", domain="example.com"))


@pytest.fixture(scope="module")
def maker() -> Maker:
    """One for all stacks, in this process."""
    return DirectMaker(HelmEngineInProcess(), FastYaml(GoYaml(PythonYaml())))


@pytest.mark.parametrize("size", ALL_SIZES)
@pytest.mark.parametrize("name", sorted(packaged().collections))
def test_every_collection_forges_at_every_size(workspaces: Workspaces, maker: Maker, name: str, size: str) -> None:
    forged = workspaces.forge(workspaces.begin(name, size=size), maker=maker)
    assert [each for each in forged.smelted.findings if each.severity is Severity.ERROR] == []
    assert [each for each in forged.smelted.findings if each.code == "missing-crd"] == []
    assert unexpected_secrets(forged) == []


def test_every_secret_in_the_platform_is_made_or_expected(platform: Forged) -> None:
    assert unexpected_secrets(platform) == []


def test_every_address_in_the_platform_leads_to_a_service_and_port(platform: Forged) -> None:
    every = [manifest for part in platform.smelted.parts for manifest in part.manifests]
    ports = {
        (each.id.name, each.id.namespace): {port["port"] for port in each.body["spec"].get("ports", ())}
        for each in every
        if each.id.kind == "Service"
    }
    lost = {}
    for manifest in every:
        for found in (match for text in texts(manifest.body) for match in ADDRESS.finditer(text)):
            name, namespace = found["name"], found["namespace"]
            port = int(found["port"]) if found["port"] else PORTS.get(found["scheme"] or "")
            if is_made_later(name, namespace, every) or (name, namespace) in GIVEN:
                continue
            if (name, namespace) not in ports or (port and port not in ports[name, namespace]):
                lost[str(manifest.id)] = f"{found[0]}: {ports.get((name, namespace), 'no such Service')}"
    assert lost == {}


def test_pod_security_is_written_on_the_namespaces(platform: Forged) -> None:
    labels = {
        manifest.id.name: manifest.body["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce")
        for part in platform.smelted.parts
        for manifest in part.manifests
        if manifest.id.kind == "Namespace"
    }
    assert labels["cert-manager"] == "restricted"
    assert labels["longhorn-system"] == "privileged"
    assert None not in labels.values()


@pytest.mark.parametrize("names", [("longhorn",), ("local-path-provisioner",), ("longhorn", "local-path-provisioner")])
def test_one_storage_class_is_the_default(workspaces: Workspaces, maker: Maker, names: tuple[str, ...]) -> None:
    """Longhorn's stands as text in a ConfigMap, of which its driver makes the object."""
    forged = workspaces.forge(workspaces.begin(*names), maker=maker)
    said = re.compile(r"""storageclass\.kubernetes\.io/is-default-class: ["']?true""")
    defaults = [
        str(manifest.id)
        for part in forged.smelted.parts
        for manifest in part.manifests
        if manifest.id.kind in ("StorageClass", "ConfigMap") and said.search(manifest.text.decode())
    ]
    assert len(defaults) == 1


def unexpected_secrets(forged: Forged) -> list[str]:
    """Secrets that pods cannot do without, and that nobody makes or is told to make."""
    every = [manifest for part in forged.smelted.parts for manifest in part.manifests]
    there = {(each.id.namespace, each.id.name) for each in every if each.id.kind == "Secret"}
    there |= {(secret.namespace, secret.name) for component in forged.stack.components for secret in component.secrets}
    for each in every:
        if each.id.kind == "Certificate":
            there.add((each.id.namespace, each.body["spec"]["secretName"]))
        elif (each.id.group, each.id.kind) == ("postgresql.cnpg.io", "Cluster"):
            there.add((each.id.namespace, f"{each.id.name}-app"))
    catalog = packaged()
    for component in forged.stack.components:
        if component.name in catalog.names:
            there |= {(component.namespace, name) for name in catalog.component(component.name).makes_secrets}
    return sorted(
        f"{each.id} wants {name}"
        for each in every
        for name in set(secrets_of(rules.pod_of(each.body)))
        if (each.id.namespace, name) not in there
    )


def secrets_of(value: Any) -> Iterator[str]:
    """The names of Secrets in a pod, but for those that may be missing."""
    if isinstance(value, list):
        for item in value:
            yield from secrets_of(item)
    elif isinstance(value, dict) and value.get("optional") is not True:
        for key, member in value.items():
            if key in ("secretKeyRef", "secretRef") and member.get("name") and member.get("optional") is not True:
                yield member["name"]
            elif key == "secretName" and isinstance(member, str):
                yield member
            else:
                yield from secrets_of(member)


def texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def is_made_later(name: str, namespace: str, every: list[Manifest]) -> bool:
    """Whether an operator makes the Service of an object in the stack."""
    kinds = {(each.id.kind, each.id.name) for each in every if each.id.namespace == namespace}
    if name in ("prometheus-operated", "alertmanager-operated"):
        return any(kind == name.partition("-")[0].capitalize() for kind, _ in kinds)
    return any(("Cluster", name.removesuffix(end)) in kinds for end in ("-rw", "-ro", "-r") if name.endswith(end))
