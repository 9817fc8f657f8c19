"""The nodes of a cluster as its API server has them, with the Pods that run there beside those of the stack.

Sources: Kubernetes API, "NodeStatus" (``allocatable``); "Taints and Tolerations" (what the node controller adds by itself).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from cluster_forge.checks.fit.nodes import PODS, SIZES, NodeGroup, Taint
from cluster_forge.checks.fit.pod_class import HOSTNAME, PodClass, PodTerm
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import pod_requests
from cluster_forge.manifests.manifest import Body

_NOT_READY: Final = Taint(key="node.kubernetes.io/not-ready")
_CORDONED: Final = Taint(key="node.kubernetes.io/unschedulable")
_COUNTED: Final = (*SIZES, "ephemeral-storage", PODS)
"""What a node has, whether it says so or not; of other resources it has none if it does not list them."""


@dataclass(frozen=True, kw_only=True)
class LiveNodes:
    """``nodes`` are the Node objects, ``pods`` the Pods of others that stay, by the name of their node.

    ``terms`` are those by which Pods of the stack attract, repel or count other Pods.
    """

    nodes: Sequence[Body]
    pods: Mapping[str, Sequence[PodClass]]
    terms: frozenset[PodTerm] = frozenset()
    _is_met: dict[PodClass, bool] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def groups(self) -> tuple[NodeGroup, ...]:
        """The nodes as they are, each a group of its own."""
        return tuple(map(self._group, self.nodes))

    def without_evicted(self, group: NodeGroup, priority: int) -> NodeGroup:
        """One of the groups without the Pods of a lower priority, which those with this one can evict."""
        return replace(
            group,
            used=_requested(pod for pod in self.pods.get(group.title, ()) if pod.priority >= priority),
            residents=tuple(pod for pod in group.residents if pod.priority >= priority),
        )

    def _group(self, node: Body) -> NodeGroup:
        metadata = mapping(node.get("metadata"))
        name = str(metadata.get("name"))
        capacity = pod_requests.amounts(mapping(node.get("status")).get("allocatable"))
        pods = self.pods.get(name, ())
        labels = {key: value for key, value in mapping(metadata.get("labels")).items() if isinstance(value, str)}
        return NodeGroup(
            title=name,
            count=1,
            capacity=capacity,
            unlimited=frozenset(one for one in _COUNTED if one not in capacity),
            labels={HOSTNAME: name, **labels},
            taints=tuple(dict.fromkeys(_taints(node))),
            names=(name,),
            used=_requested(pods),
            residents=tuple(pod for pod in pods if pod.ports or pod.repels or self._is_meant(pod)),
        )

    def _is_meant(self, pod: PodClass) -> bool:
        """Whether Pods of the stack ask for a Pod of this class, or for a place without it."""
        if pod not in self._is_met:
            labels = dict(pod.labels)
            self._is_met[pod] = any(term.means(pod.namespace, labels) for term in self.terms)
        return self._is_met[pod]


def is_open(group: NodeGroup) -> bool:
    """Whether the scheduler puts Pods without tolerations there."""
    return not any(taint.is_closing for taint in group.taints)


def _taints(node: Body) -> Iterator[Taint]:
    """Those of a node, and those that it is about to get: the node controller adds them a moment later."""
    spec, conditions = mapping(node.get("spec")), sequence(mapping(node.get("status")).get("conditions"))
    for taint in map(mapping, sequence(spec.get("taints"))):
        yield Taint(
            key=str(taint.get("key")), value=str(taint.get("value") or ""), effect=str(taint.get("effect") or "")
        )
    if spec.get("unschedulable") is True:
        yield _CORDONED
    if not any(one.get("type") == "Ready" and one.get("status") == "True" for one in map(mapping, conditions)):
        yield _NOT_READY


def _requested(pods: Iterable[PodClass]) -> dict[str, int]:
    total: defaultdict[str, int] = defaultdict(int)
    for pod in pods:
        total[PODS] += 1
        for name, amount in pod.requests:
            total[name] += amount
    return dict(total)
