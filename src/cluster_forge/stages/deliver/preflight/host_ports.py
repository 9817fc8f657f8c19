"""Host ports are free: no two Pods on one node want the same one, neither of the stack nor of what runs already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cluster_forge.checks import workloads
from cluster_forge.checks.collisions.host_ports import CODE, clashes, selected_nodes, wanted
from cluster_forge.manifests.host_ports import HostPort
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.running_pods import RunningPod
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of, name_of

LOOKS_AT: Final = "the host ports of running Pods"
IS_NEEDED: Final = False
CODES: Final[Mapping[str, str]] = {
    "port-conflict": "Two Pods want one port of a node.",
}


def problems(situation: Situation) -> Iterator[Problem]:
    own = workloads.of(situation.workloads)
    for clash in clashes(own):
        holder = f"{clash.other.manifest.id} of the stack"
        yield _problem(clash.one.manifest, clash.port, holder, "change the port of one of them, or leave one out")
    everywhere = [(workload, ports) for workload in own if workload.is_everywhere and (ports := wanted(workload))]
    if not everywhere:
        return
    nodes = {name_of(node): labels_of(node) for node in situation.nodes}
    running = [pod for pod in situation.pods if pod.pod_class.ports and pod.is_lasting]
    for workload, wanting in everywhere:
        selected = selected_nodes(workload).items()
        near = [pod for pod in running if selected <= nodes.get(pod.node, {}).items()]
        for port in wanting:
            holders = [pod for pod in near if any(port.clashes_with(other) for other in pod.pod_class.ports)]
            if holders:
                yield _problem(workload.manifest, port, _named(holders), "change the port, or end what has it")


def _named(pods: Sequence[RunningPod]) -> str:
    """Some Pods, by the first one."""
    first = pods[0]
    name = f"the Pod {first.id.namespace}/{first.name} on node {first.node}"
    return name if len(pods) == 1 else f"{name}, and {len(pods) - 1} more"


def _problem(manifest: Manifest, port: HostPort, holder: str, fix: str) -> Problem:
    return Problem(
        code=CODE,
        message=f"wants port {port} of its nodes, and so does {holder}",
        where=str(manifest.id),
        fix=fix,
        option=f"--allow {CODE}",
    )
