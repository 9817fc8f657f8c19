"""The synthetic stack of `check fit` has as many Pods and nodes as its figure says."""

from __future__ import annotations

from pathlib import Path

import yaml
from tools.bench import many_pods


def test_the_stack_has_50_000_pods_and_1_000_nodes(tmp_path: Path) -> None:
    folder = tmp_path / "input"
    many_pods.write(folder)
    description = yaml.safe_load((folder / "config.yaml").read_text())
    assert sum(group["count"] for group in description["target"]["nodes"]) == 1000
    objects = list(yaml.safe_load_all((folder / "web.yaml").read_text()))
    assert sum(one["spec"]["replicas"] for one in objects) == 50_000
    assert len({one["metadata"]["name"] for one in objects}) == len(objects)
    kinds = {tuple(one["spec"]["template"]["spec"]) for one in objects}
    assert kinds == {("containers",), ("topologySpreadConstraints", "containers"), ("affinity", "containers")}


def test_the_change_is_in_the_manifests(tmp_path: Path) -> None:
    folder = tmp_path / "input"
    many_pods.write(folder)
    before, after = many_pods.CHANGED
    text = (folder / "web.yaml").read_text()
    assert before in text
    assert after not in text
