"""NetworkPolicies let through what the stack needs: names (DNS), calls of one workload to another, the API server's webhooks.

A workload calls a Service if its arguments or variables have the address. One that may call nothing at all, and names
nothing in the cluster, is meant to be shut in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cluster_forge.checks import in_cluster_addresses, report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.inventory import Place, spec_of, strings_in
from cluster_forge.checks.network_policies import EGRESS, INGRESS, KINDS, NetworkPolicies, Peer, Port
from cluster_forge.checks.workloads import Workload
from cluster_forge.foundation.names import listed
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import webhooks
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "blocked-traffic"
_DNS: Final = (Port(53, "dns", "UDP"), Port(53, "dns-tcp", "TCP"))
_HTTPS: Final = 443
_MOST_NAMED: Final = 3


def findings(checked: CheckedStack) -> Iterator[Finding]:
    policies = checked.of_kind[KINDS]
    if not policies:
        return
    namespaces = {one.id.name: one for one in checked.of_kind["", "Namespace"]}
    network = NetworkPolicies(policies=policies, namespaces=namespaces)
    for workload in checked.workloads:
        yield from _of_workload(checked, network, workload)
    for manifest, place, port in _called_by_the_api_server(checked):
        yield from _of_api_server(checked, network, manifest, place, port)


def _of_workload(checked: CheckedStack, network: NetworkPolicies, workload: Workload) -> Iterator[Finding]:
    leaving = network.selecting(workload, EGRESS)
    called = list(dict.fromkeys(_called(workload)))
    if leaving and (called or any(sequence(spec_of(policy).get(EGRESS)) for policy in leaving)):
        dns = Peer("kube-system", None)
        if not any(network.allows(leaving, EGRESS, dns, port) for port in _DNS):
            yield _finding(workload.manifest, leaving, "may not ask for names (DNS, port 53 of kube-system)")
    for place, port in called:
        yield from _of_call(checked, network, workload, place, port)


def _of_call(
    checked: CheckedStack, network: NetworkPolicies, workload: Workload, place: Place, port: int | None
) -> Iterator[Finding]:
    for serving in checked.serving(place):
        reached = _pod_port(checked.inventory.services[place], serving, port)
        if reached is None or serving is workload:
            continue
        text = f"may not call {'/'.join(place)}, port {reached.number} of {serving.manifest.id}"
        leaving, entering = network.selecting(workload, EGRESS), network.selecting(serving, INGRESS)
        if leaving and not network.allows(leaving, EGRESS, Peer(serving.namespace, serving.labels), reached):
            yield _finding(workload.manifest, leaving, text)
        elif entering and not network.allows(entering, INGRESS, Peer(workload.namespace, workload.labels), reached):
            yield _finding(workload.manifest, entering, text)


def _of_api_server(
    checked: CheckedStack, network: NetworkPolicies, manifest: Manifest, place: Place, port: int
) -> Iterator[Finding]:
    for serving in checked.serving(place):
        entering = network.selecting(serving, INGRESS)
        reached = _pod_port(checked.inventory.services[place], serving, port)
        if entering and reached and not network.allows_from_outside(entering, reached):
            text = f"is answered by {serving.manifest.id}, whose port {reached.number} the API server may not call"
            yield _finding(manifest, entering, text)


def _finding(manifest: Manifest, policies: list[Manifest], text: str) -> Finding:
    verb = "does" if len(policies) == 1 else "do"
    return report.warning(
        manifest,
        CODE,
        f"{text}: {_first(policies)} {verb} not allow it",
        fix="add a rule for it to the policy, or leave the policy out",
    )


def _first(policies: list[Manifest]) -> str:
    """The first policies, and how many more there are: a namespace may have hundreds."""
    return listed([str(policy.id) for policy in policies], _MOST_NAMED)


def _called(workload: Workload) -> Iterator[tuple[Place, int | None]]:
    for container in workload.all_containers:
        for text in strings_in([container.get(name) for name in ("command", "args", "env")]):
            if ".svc" in text:
                yield from ((address.place, address.port) for address in in_cluster_addresses.of(text))


def _pod_port(service: Manifest, serving: Workload, port: int | None) -> Port | None:
    """The port of the Pods behind a Service's port; its only one if none is named. None where that is not known."""
    ports = [mapping(one) for one in sequence(spec_of(service).get("ports"))]
    fitting = [one for one in ports if one.get("port") == port] if port is not None else ports
    if len(fitting) != 1:
        return None
    declared = [mapping(one) for container in serving.containers for one in sequence(container.get("ports"))]
    target = fitting[0].get("targetPort", fitting[0].get("port"))
    number: Any = target
    if isinstance(target, str):
        number = next((one.get("containerPort") for one in declared if one.get("name") == target), None)
    name = next((one.get("name") for one in declared if one.get("containerPort") == number), "")
    if not isinstance(number, int):
        return None
    return Port(number, name if isinstance(name, str) else "", str(fitting[0].get("protocol") or "TCP"))


def _called_by_the_api_server(checked: CheckedStack) -> Iterator[tuple[Manifest, Place, int]]:
    for kind in sorted(webhooks.CONFIGURATIONS):
        for configuration in checked.of_kind[kind]:
            clients = [mapping(one).get("clientConfig") for one in sequence(configuration.body.get("webhooks"))]
            services = [mapping(mapping(client).get("service")) for client in clients]
            places = {_place(service) for service in services if service}
            yield from ((configuration, place, port) for place, port in sorted(places))
    for api in checked.of_kind["apiregistration.k8s.io", "APIService"]:
        if service := mapping(spec_of(api).get("service")):
            yield (api, *_place(service))


def _place(service: Any) -> tuple[Place, int]:
    port = service.get("port")
    return (str(service.get("namespace")), str(service.get("name"))), port if isinstance(port, int) else _HTTPS
