"""`check fit`: the verdict, the placement and the footprint, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

NODES = "target: {nodes: [{count: COUNT, cpu: '2', memory: 4Gi}]}\n"
WEB = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 3
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: "registry.example.com/db:1", resources: {requests: {cpu: 1500m, memory: 1Gi}}}]
"""


@pytest.fixture
def stack(workspace: Workspace) -> Workspace:
    return workspace.write({"input/extras/db.yaml": WEB})


def with_nodes(workspace: Workspace, nodes: str) -> Workspace:
    description = (workspace.folder / "input/config.yaml").read_text()
    return workspace.write({"input/config.yaml": nodes + description})


def test_what_fits_has_a_placement(stack: Workspace) -> None:
    result = with_nodes(stack, NODES.replace("COUNT", "4")).ok("check", "fit", "--format", "json")

    assert result.json["verdict"] == "fits"
    assert result.json["nodes"][0]["least"] == 3
    placed = {pod["object"]: pod["count"] for node in result.json["placement"] for pod in node["pods"]}
    assert placed["StatefulSet.apps/extras/db"] == 1
    assert len([node for node in result.json["placement"] if node["free"]["cpu"] == "0.5"]) == 3
    assert result.json["nodeDown"][0]["waiting"] == []


def test_the_placement_is_printed_when_it_is_asked_for(stack: Workspace) -> None:
    with_nodes(stack, NODES.replace("COUNT", "4"))

    plain, placed = stack.ok("check", "fit").out, stack.ok("check", "fit", "--placement").out
    assert "the stack fits on 4 nodes" in plain
    assert "target.nodes[0]: 4 × cpu 2, memory 4Gi, pods 110; 3 would do" in plain
    assert "1 × StatefulSet.apps/extras/db" not in plain
    assert "1 × StatefulSet.apps/extras/db" in placed
    assert "node-1: free cpu 0.5, memory 3Gi, pods 1" in placed


def test_what_does_not_fit_fails(stack: Workspace) -> None:
    result = with_nodes(stack, NODES.replace("COUNT", "2")).run("check", "fit")

    assert result.code == 1
    assert "the stack does not fit on 2 nodes" in result.out
    assert "3 would do" in result.out


def test_without_nodes_there_is_the_footprint(stack: Workspace) -> None:
    result = stack.ok("check", "fit")

    assert "target.nodes is empty" in result.out
    assert "extras" in result.out
    footprint = {one["component"]: one for one in stack.ok("check", "fit", "--format", "json").json["footprint"]}
    assert footprint["extras"]["requests"] == {"cpu": "4.5", "memory": "3Gi"}
    assert footprint["web"]["pods"] == 2


def test_nodes_without_sizes_are_not_judged(stack: Workspace) -> None:
    result = with_nodes(stack, "target: {nodes: [{count: 2, cpu: '2'}]}\n").ok("check", "fit")

    assert "cannot be decided without memory of target.nodes[0]" in result.out


def test_a_part_of_the_stack_is_refused(stack: Workspace) -> None:
    result = stack.run("check", "fit", "web")

    assert result.code == 2
    assert "all components share the nodes" in result.err


def test_smelt_stops_at_what_does_not_fit(stack: Workspace) -> None:
    result = with_nodes(stack, NODES.replace("COUNT", "2")).run("smelt", "--format", "json")

    assert result.code == 1
    assert ("error", "does-not-fit") in {(one["severity"], one["code"]) for one in result.json["findings"]}
