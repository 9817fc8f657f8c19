"""What NetworkPolicies let through, between the Pods of a stack's workloads.

A Pod that no policy of a direction selects may talk to everyone; one that some select may do what any of them allows
(Kubernetes, "Network Policies"; API reference, "NetworkPolicy"). Policies of other APIs are not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from cluster_forge.checks.inventory import spec_of
from cluster_forge.checks.workloads import Workload
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.label_selector import labels_of, matches
from cluster_forge.manifests.manifest import Manifest

_NAME: Final = "kubernetes.io/metadata.name"
KINDS: Final = ("networking.k8s.io", "NetworkPolicy")
INGRESS, EGRESS = "ingress", "egress"
_Label = tuple[str, str]
_PEERS: Final = {INGRESS: "from", EGRESS: "to"}


class Port(NamedTuple):
    """A port of a Pod as rules name it: its number, its name if it has one, and the protocol."""

    number: int
    name: str = ""
    protocol: str = "TCP"


class Peer(NamedTuple):
    """The other side: the labels of a Pod, and its namespace. ``labels`` of None: a Pod of which nothing else is known."""

    namespace: str
    labels: Mapping[str, str] | None


@dataclass(frozen=True, kw_only=True)
class NetworkPolicies:
    """The policies of a stack by namespace, and the Namespaces by name."""

    policies: Sequence[Manifest]
    namespaces: Mapping[str, Manifest]

    @cached_property
    def _by_label(self) -> Mapping[tuple[str, _Label | None], Sequence[int]]:
        """The policies by namespace and by one label of the Pods that they select; None for those that ask for no label."""
        numbers: defaultdict[tuple[str, _Label | None], list[int]] = defaultdict(list)
        for number, policy in enumerate(self.policies):
            labels = mapping(mapping(spec_of(policy).get("podSelector")).get("matchLabels"))
            label = next(((name, value) for name, value in labels.items() if isinstance(value, str)), None)
            numbers[policy.id.namespace, label].append(number)
        return numbers

    def selecting(self, workload: Workload, direction: str) -> list[Manifest]:
        """The policies that restrict a workload's Pods in a direction; those in the network of their node are never."""
        if workload.pod.get("hostNetwork") is True:
            return []
        labels = (None, *workload.labels.items())
        numbers = {number for label in labels for number in self._by_label.get((workload.namespace, label), ())}
        return [
            policy
            for policy in map(self.policies.__getitem__, sorted(numbers))
            if _has_direction(policy, direction)
            and matches(mapping(spec_of(policy).get("podSelector")), workload.labels)
        ]

    def allows(self, policies: Iterable[Manifest], direction: str, peer: Peer, port: Port) -> bool:
        """Whether one of the policies lets traffic from or to a peer through; ``port`` is that of the Pod that is called."""
        return any(
            _has_port(rule, port) and self._has_peer(rule, direction, peer, policy.id.namespace)
            for policy in policies
            for rule in map(mapping, sequence(spec_of(policy).get(direction)))
        )

    def allows_from_outside(self, policies: Iterable[Manifest], port: Port) -> bool:
        """Whether others than Pods, such as the API server, may call; it may come through a Pod of kube-system (konnectivity)."""
        for policy in policies:
            for rule in map(mapping, sequence(spec_of(policy).get(INGRESS))):
                peers = [mapping(peer) for peer in sequence(rule.get("from"))]
                if _has_port(rule, port) and (
                    not peers
                    or any("ipBlock" in peer for peer in peers)
                    or self._has_peer(rule, INGRESS, Peer("kube-system", None), policy.id.namespace)
                ):
                    return True
        return False

    def _has_peer(self, rule: Mapping[str, Any], direction: str, peer: Peer, namespace: str) -> bool:
        listed = sequence(rule.get(_PEERS[direction]))
        return not listed or any(self._is_peer(mapping(one), peer, namespace) for one in listed)

    def _is_peer(self, listed: Mapping[str, Any], peer: Peer, namespace: str) -> bool:
        if "ipBlock" in listed:
            return True  # the addresses of Pods and Services are not known
        by_namespace, by_labels = listed.get("namespaceSelector"), listed.get("podSelector")
        if by_namespace is None:
            is_in = peer.namespace == namespace
        else:
            is_in = matches(mapping(by_namespace), self._labels(peer.namespace))
        return is_in and (by_labels is None or peer.labels is None or matches(mapping(by_labels), peer.labels))

    def _labels(self, name: str) -> Mapping[str, str]:
        """The labels of a namespace; every one has its name as a label (KEP-2161)."""
        namespace = self.namespaces.get(name)
        return {**(labels_of(namespace.body.get("metadata")) if namespace else {}), _NAME: name}


def _has_direction(policy: Manifest, direction: str) -> bool:
    spec = spec_of(policy)
    types = sequence(spec.get("policyTypes"))
    if types:
        return direction.capitalize() in types
    return direction == INGRESS or bool(spec.get(EGRESS))


def _has_port(rule: Mapping[str, Any], port: Port) -> bool:
    listed = [mapping(one) for one in sequence(rule.get("ports"))]
    return not listed or any(_is_port(one, port) for one in listed)


def _is_port(listed: Mapping[str, Any], port: Port) -> bool:
    if str(listed.get("protocol") or "TCP") != port.protocol:
        return False
    wanted, last = listed.get("port"), listed.get("endPort")
    if isinstance(wanted, int) and isinstance(last, int):
        return wanted <= port.number <= last
    return wanted is None or wanted == port.number or (isinstance(wanted, str) and wanted == port.name)
