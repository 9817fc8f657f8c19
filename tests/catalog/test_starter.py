"""The starter stack: its tree byte by byte, and no findings for any target."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_forge.catalog import starter
from cluster_forge.cli.app import run
from cluster_forge.manifests import kubernetes_apis

CompareGolden = Callable[[str, "Path | Mapping[str, bytes]"], None]
Forge = Callable[..., dict[str, Any]]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    assert run(["-C", str(tmp_path), "init", "--quiet"]) == 0
    return tmp_path


@pytest.fixture
def forge(workspace: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]) -> Forge:
    """Forge the starter offline; its JSON answer. Charts are stored once for all tests."""
    store = tmp_path_factory.getbasetemp() / "starter-store"

    def call(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        common = ["--offline", "--quiet", "--format", "json", "--store", str(store)]
        code = run(["-C", str(workspace), "forge", *common, *arguments])
        said = capsys.readouterr()
        assert code == 0, said.err
        answer: dict[str, Any] = json.loads(said.out)
        return answer

    return call


def objects(workspace: Path) -> dict[str, Any]:
    """Everything in `working/` by its path."""
    folder = workspace / "working"
    return {path.relative_to(folder).as_posix(): yaml.safe_load(path.read_bytes()) for path in folder.rglob("*.yaml")}


def test_its_working_tree(workspace: Path, forge: Forge, golden: CompareGolden) -> None:
    forge()
    files = sorted((workspace / "working").rglob("*.yaml"))
    golden("starter", {path.relative_to(workspace / "working").as_posix(): path.read_bytes() for path in files})


@pytest.mark.parametrize("size", ["small", "medium", "large"])
def test_every_size_is_without_findings(workspace: Path, forge: Forge, size: str) -> None:
    answer = forge(*(() if size == "small" else ("--environment", size)))
    assert answer["findings"] == []
    kinds = {body["kind"] for body in objects(workspace).values()}
    needing = {"HorizontalPodAutoscaler", "PersistentVolumeClaim", "Ingress", "StatefulSet"}
    assert not kinds & needing, "a bare cluster has no metrics server, no StorageClass and no ingress controller"
    assert not any(body.get("spec", {}).get("type") == "LoadBalancer" for body in objects(workspace).values())
    folder = workspace / answer["cast"]["folder"]
    assert folder.name == ("starter" if size == "small" else f"starter.{size}")
    assert json.loads((folder / "stack.json").read_text())["target"]["size"] == size


@pytest.mark.parametrize("minor", kubernetes_apis.minors())
def test_every_supported_version_can_be_forged(workspace: Path, forge: Forge, minor: int) -> None:
    description = workspace / "input" / "config.yaml"
    description.write_text(description.read_text().replace('kubernetes: "1.33"', f'kubernetes: "1.{minor}"'))
    assert forge()["findings"] == []
    for path, body in objects(workspace).items():
        if path.startswith("argo-apps/"):
            continue
        group, _, version = body["apiVersion"].rpartition("/")
        assert kubernetes_apis.is_namespaced(group, body["kind"], minor) is not None, (path, version)


def test_it_says_which_versions_are_supported() -> None:
    first, *_, last = kubernetes_apis.minors()
    assert f"(1.{first} to 1.{last} work)" in starter.tree().files[starter.DESCRIPTION].decode()


def test_what_is_only_defined_may_be_added(workspace: Path, forge: Forge) -> None:
    description = workspace / "input" / "config.yaml"
    text = description.read_text().replace("\ncomponents:\n", "\ncomponents:\n- metrics-server\n", 1)
    description.write_text(text)
    answer = forge()
    assert answer["findings"] == []
    assert "metrics-server" in {part["name"] for part in answer["components"]}


@pytest.mark.parametrize(
    ("kubernetes", "components", "is_found"),
    [("1.33", "", True), ("1.33", "- metrics-server\n", False), ("v1.33.4+k3s1", "", False)],
)
def test_an_autoscaler_without_a_metrics_server_is_a_finding(
    workspace: Path, forge: Forge, kubernetes: str, components: str, is_found: bool
) -> None:
    description = workspace / "input" / "config.yaml"
    text = description.read_text().replace('kubernetes: "1.33"', f'kubernetes: "{kubernetes}"')
    text = text.replace("\ncomponents:\n", f"\ncomponents:\n{components}", 1)
    description.write_text(
        text.replace("  # values:\n  #   ingress", "  values: {autoscaling: {enabled: true}}\n  #   ingress")
    )
    findings = forge()["findings"]
    assert [finding["code"] for finding in findings] == (["missing-provider"] if is_found else [])
    if is_found:
        assert findings[0]["object"] == "HorizontalPodAutoscaler.autoscaling/demo/sample-web"
        assert "needs metrics.k8s.io" in findings[0]["message"]


def test_its_collection_can_be_forged_alone(forge: Forge) -> None:
    names = {part["name"] for part in forge("observability")["components"]}
    assert names >= {"node-exporter", "metrics"}
    assert "sample-web" not in names


def test_it_has_applications(workspace: Path, forge: Forge) -> None:
    assert forge()["findings"] == []
    applications = [path for path in objects(workspace) if path.startswith("argo-apps/")]
    assert len(applications) >= 7


def test_it_may_be_applied_by_kubectl_alone(tmp_path: Path, forge: Forge, workspace: Path) -> None:
    assert run(["-C", str(tmp_path), "init", "--quiet", "kubectl", "--gitops", "none"]) == 0
    text = (tmp_path / "kubectl" / "input" / "config.yaml").read_text()
    assert yaml.safe_load(text)["gitops"] == {"engine": "none"}
    assert "runs in the cluster\n\nchecks:\n" in text, "the line of `install` is gone, the blank line after it is not"
    (workspace / "input" / "config.yaml").write_text(text)
    assert forge()["findings"] == []
    assert not any(path.startswith("argo-apps/") for path in objects(workspace))


def test_flux_gets_a_source_for_the_user_to_change(
    tmp_path: Path, forge: Forge, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(tmp_path), "init", "flux", "--yes", "--gitops", "flux"]) == 0
    assert "write the registry that Flux reads the stack from as `url`" in capsys.readouterr().out
    text = (tmp_path / "flux" / "input" / "config.yaml").read_text()
    assert yaml.safe_load(text)["gitops"] == {
        "engine": "flux",
        "source": "oci",
        "url": "oci://registry.example.com/starter",
        "install": False,
    }
    (workspace / "input" / "config.yaml").write_text(text)
    assert forge()["findings"] == []
    assert list((workspace / "working" / "flux").glob("*.yaml"))


def test_it_is_complete_and_has_nothing_of_the_project() -> None:
    tree = starter.tree()
    charts = {path.split("/")[1] for path in tree if path.startswith("charts/")}
    for chart in charts:
        assert {f"charts/{chart}/{name}" for name in ("Chart.yaml", "values.yaml", "values.schema.json")} <= set(tree)
    assert not any("__pycache__" in path or path.endswith((".py", ".pyc")) for path in tree)
    description = yaml.safe_load(tree["config.yaml"])
    named = [
        component["helm"]["chart"].split("/")[-1]
        for component in description["components"] + description["define"]
        if "helm" in component
    ]
    assert set(named) == charts
