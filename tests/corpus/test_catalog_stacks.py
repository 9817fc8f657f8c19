"""Stacks of the catalog's components as a whole: collections forge, and everything that is named is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.catalog.component_format import ALL_SIZES
from cluster_forge.catalog.library import packaged
from cluster_forge.checks import registry
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.manifests.finding import Severity
from cluster_forge.stages.catalog.trial_stack import exemptions_of

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged, Workspaces

    from cluster_forge.ports.rendering import Renderer

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def platform(workspaces: Workspaces) -> Forged:
    return workspaces.forge(workspaces.begin("platform", size="large", domain="example.com"))


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    """One for all stacks, in this process."""
    reader = FastYaml(GoYaml(PurePythonYaml()))
    reader.read("a: 1\n")  # short-lived threads use the slow reader, unless this one has read before
    return InProcessRenderer(HelmSdk(), reader)


@pytest.mark.parametrize("size", ALL_SIZES)
@pytest.mark.parametrize("name", sorted(packaged().collections))
def test_every_collection_forges_at_every_size(
    workspaces: Workspaces, renderer: Renderer, name: str, size: str
) -> None:
    forged = workspaces.forge(workspaces.begin(name, size=size), renderer=renderer)
    assert [finding for finding in forged.smelted.findings if finding.severity is Severity.ERROR] == []
    assert [finding for finding in forged.smelted.findings if finding.code == "missing-crd"] == []
    assert missing_references(forged) == []


def test_components_come_after_the_crds_that_they_have_objects_of(platform: Forged) -> None:
    """Also what brings the others: Argo CD has monitors and a route."""
    assert "argo-cd" in platform.contents
    assert [str(finding) for finding in platform.smelted.findings if finding.code == "wave-conflict"] == []


def test_the_platform_has_everything_that_its_objects_refer_to(platform: Forged) -> None:
    assert missing_references(platform) == []


def test_pod_security_is_written_on_the_namespaces(platform: Forged) -> None:
    labels = {
        manifest.id.name: manifest.body["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce")
        for manifest in platform.manifests
        if manifest.id.kind == "Namespace"
    }
    assert labels["cert-manager"] == "restricted"
    assert labels["longhorn-system"] == "privileged"
    assert None not in labels.values()


@pytest.mark.parametrize("names", [("longhorn",), ("local-path-provisioner",), ("longhorn", "local-path-provisioner")])
def test_one_storage_class_is_the_default(workspaces: Workspaces, renderer: Renderer, names: tuple[str, ...]) -> None:
    """Longhorn's stands as text in a ConfigMap, of which its driver makes the object."""
    forged = workspaces.forge(workspaces.begin(*names), renderer=renderer)
    said = re.compile(r"""storageclass\.kubernetes\.io/is-default-class: ["']?true""")
    defaults = [
        str(manifest.id)
        for manifest in forged.manifests
        if manifest.id.kind in ("StorageClass", "ConfigMap") and said.search(manifest.text.decode())
    ]
    assert len(defaults) == 1


def missing_references(forged: Forged) -> list[str]:
    """References to what is not in a forged stack, except for those that the catalog accepts."""
    catalog = packaged()
    ours = {
        component.name: catalog.component(component.name)
        for component in forged.stack.components
        if component.name in catalog.names
    }
    checked = CheckedStack(forged.stack, forged.manifests, waves={}, is_closed=True)
    findings = registry.check_references(
        checked, {str(name): exemptions_of(component) for name, component in ours.items()}
    )
    return [f"{finding.object}: {finding.message}" for finding in findings]
