"""Services (``ValidateService``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.kubernetes_objects.problem import Problem, Rule, shown
from cluster_forge.foundation.names import is_dns_subdomain
from cluster_forge.foundation.untyped import mapping, sequence

_EXTERNAL: Final = ("NodePort", "LoadBalancer")


def ports(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    entries = [mapping(entry) for entry in sequence(value.get("ports"))]
    if not entries and not _is_headless(value) and value.get("type") != "ExternalName":
        yield Problem(steps=("ports",), message="ports is missing", fix="set ports, or clusterIP: None")
    names: set[str] = set()
    node_ports: set[tuple[int, str]] = set()
    for number, entry in enumerate(entries):
        name = entry.get("name")
        if len(entries) > 1 and name in (None, ""):
            yield Problem(
                steps=("ports", number, "name"), message="a Service with several ports names each", fix="set name"
            )
        if isinstance(name, str) and name in names:
            yield Problem(
                steps=("ports", number, "name"), message=f"the name {shown(name)} is there twice", fix="rename one"
            )
        names |= {name} if isinstance(name, str) and name else set()
        node_port, protocol = entry.get("nodePort"), str(entry.get("protocol") or "TCP")
        if not isinstance(node_port, int) or not node_port:
            continue
        steps = ("ports", number, "nodePort")
        if value.get("type") in (None, "", "ClusterIP"):
            yield Problem(
                steps=steps, message="nodePort needs type: NodePort or LoadBalancer", fix="remove nodePort, or set type"
            )
        if (node_port, protocol) in node_ports:
            yield Problem(
                steps=steps, message=f"nodePort {node_port} is there twice", fix="change or remove one of the two"
            )
        node_ports.add((node_port, protocol))


def type_fields(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """Fields that go with one type of Service only."""
    kind = value.get("type") or "ClusterIP"
    if kind in _EXTERNAL and value.get("clusterIP") == "None":
        yield Problem(
            steps=("clusterIP",), message=f"clusterIP: None does not go with type: {kind}", fix="remove one of the two"
        )
    if kind == "ExternalName":
        name = value.get("externalName")
        if name in (None, ""):
            yield Problem(steps=("externalName",), message="externalName is missing", fix="set externalName")
        elif isinstance(name, str) and not is_dns_subdomain(name.removesuffix(".")):
            yield Problem(
                steps=("externalName",),
                message=f"{shown(name)} is not a DNS name",
                fix="write a DNS name in lower case",
            )
    for name in ("loadBalancerSourceRanges", "allocateLoadBalancerNodePorts", "loadBalancerClass"):
        if kind != "LoadBalancer" and value.get(name) not in (None, [], ""):
            yield Problem(
                steps=(name,),
                message=f"{name} needs type: LoadBalancer",
                fix=f"remove {name}, or set type: LoadBalancer",
            )
    policy = value.get("externalTrafficPolicy")
    if policy not in (None, "") and kind not in _EXTERNAL and not sequence(value.get("externalIPs")):
        yield Problem(
            steps=("externalTrafficPolicy",),
            message="externalTrafficPolicy needs type: NodePort or LoadBalancer",
            fix="remove externalTrafficPolicy, or set type",
        )
    elif policy not in (None, "", "Cluster", "Local"):
        yield Problem(
            steps=("externalTrafficPolicy",),
            message=f"{shown(policy)} is none of Cluster, Local",
            fix="write Cluster or Local",
        )
    if value.get("sessionAffinity") in (None, "", "None") and value.get("sessionAffinityConfig") is not None:
        yield Problem(
            steps=("sessionAffinityConfig",),
            message="sessionAffinityConfig needs sessionAffinity: ClientIP",
            fix="remove it, or set sessionAffinity: ClientIP",
        )


def _is_headless(value: Mapping[str, Any]) -> bool:
    return value.get("clusterIP") == "None" or list(sequence(value.get("clusterIPs"))) == ["None"]


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {"core.v1.ServiceSpec": (ports, type_fields)}
