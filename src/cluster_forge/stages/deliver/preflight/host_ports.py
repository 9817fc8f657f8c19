"""Host ports are free: no two Pods on one node want the same one, neither of the stack nor of what runs already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.checks import workloads
from cluster_forge.checks.collisions.host_ports import CODE, HostPort, clashes, ports_of, selected_nodes, wanted
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.stages.deliver.preflight.problem import Problem
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
    running = [(pod, ports) for pod in situation.pods if (ports := _ports(pod))]
    for workload, wanting in everywhere:
        selected = selected_nodes(workload).items()
        near = [(pod, others) for pod, others in running if selected <= nodes.get(pod["spec"]["nodeName"], {}).items()]
        for port in wanting:
            holders = [pod for pod, others in near if any(port.clashes_with(other) for other in others)]
            if holders:
                yield _problem(workload.manifest, port, _named(holders), "change the port, or end what has it")


def _ports(pod: Body) -> list[HostPort]:
    spec = mapping(pod.get("spec"))
    return ports_of(spec, map(mapping, sequence(spec.get("containers"))))


def _named(pods: list[Body]) -> str:
    """Some Pods, by the first one."""
    first = pods[0]
    name = f"the Pod {first['metadata'].get('namespace')}/{name_of(first)} on node {first['spec']['nodeName']}"
    return name if len(pods) == 1 else f"{name}, and {len(pods) - 1} more"


def _problem(manifest: Manifest, port: HostPort, holder: str, fix: str) -> Problem:
    return Problem(
        code=CODE,
        message=f"wants port {port} of its nodes, and so does {holder}",
        where=str(manifest.id),
        fix=fix,
        option=f"--allow {CODE}",
    )
