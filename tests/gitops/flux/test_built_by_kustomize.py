"""What Flux builds from the files: kustomize itself gives every object once, as it is, and Jobs that may be replaced."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.kustomizations.program import programs

from cluster_forge.gitops.flux import kustomizations
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, RepositorySource, Stack

STACK = Stack(
    name="demo",
    gitops=GitOps(
        engine=GitOpsEngine.FLUX, install=False, source=RepositorySource.OCI, url="registry.example.com/demo"
    ),
)
FORCE = "kustomize.toolkit.fluxcd.io/force"


@pytest.mark.parametrize(("name", "command"), programs().items())
def test_every_object_is_built_once_and_as_it_is(
    name: str, command: list[str], parts: tuple[Part, ...], make_part: Callable[..., Part], tmp_path: Path
) -> None:
    timed = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "timed", "namespace": "x"},
        "spec": {"ttlSecondsAfterFinished": 60, "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}},
    }
    everything = (*parts, make_part("timed", [timed]))
    files = {item.path: item.content for part in everything for item in part.objects}
    for path, content in {**files, **kustomizations.files(STACK, everything, "v-1")}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    built: list[dict[str, Any]] = []
    for folder in sorted(path.parent for path in tmp_path.glob("flux/*/**/kustomization.yaml")):
        done = subprocess.run(
            [*command, "--load-restrictor=LoadRestrictionsNone", str(folder)], check=True, capture_output=True
        )
        built += yaml.safe_load_all(done.stdout)
    expected = [item.body for part in everything for item in part.objects]
    assert len(built) == len(expected)
    for body in expected:
        (found,) = [
            one for one in built if one["kind"] == body["kind"] and one["metadata"]["name"] == body["metadata"]["name"]
        ]
        if body["kind"] == "Job":
            assert found["metadata"]["annotations"].pop(FORCE) == "enabled"
            assert "ttlSecondsAfterFinished" not in found["spec"]
        else:
            assert found == body
