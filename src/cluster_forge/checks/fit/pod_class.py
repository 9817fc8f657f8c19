"""What the scheduler looks at of a Pod: Pods of one class are placed alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation.label_selector import LabelSelector
from cluster_forge.manifests.host_ports import HostPort

HOSTNAME: Final = "kubernetes.io/hostname"
_EVERYTHING: Final = LabelSelector()


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """One term of a node's affinity: labels, bounds of numbers in labels, and names of nodes. All must hold."""

    labels: LabelSelector = _EVERYTHING
    above: tuple[tuple[str, int], ...] = ()
    below: tuple[tuple[str, int], ...] = ()
    names: LabelSelector = _EVERYTHING


@dataclass(frozen=True, slots=True)
class Toleration:
    """Taints that a Pod tolerates (``corev1.Toleration``); an empty key or effect stands for all."""

    key: str = ""
    value: str = ""
    effect: str = ""
    is_exists: bool = False

    def tolerates(self, key: str, value: str, effect: str) -> bool:
        if self.effect and self.effect != effect:
            return False
        if not self.key:
            return self.is_exists
        return self.key == key and (self.is_exists or self.value == value)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDemand:
    """Which nodes a Pod may run on: all of ``selector``, one of ``terms`` (None: no matter), and no taint untolerated."""

    selector: LabelSelector = _EVERYTHING
    terms: tuple[NodeTerm, ...] | None = None
    tolerations: tuple[Toleration, ...] = ()


@dataclass(frozen=True, slots=True)
class PodTerm:
    """Pods that a required (anti-)affinity means: by labels and namespaces (None: all), within a domain of nodes."""

    selector: LabelSelector
    namespaces: frozenset[str] | None
    key: str

    def means(self, namespace: str, labels: Mapping[str, str]) -> bool:
        return (self.namespaces is None or namespace in self.namespaces) and self.selector.selects(labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A topology spread constraint that is required (``whenUnsatisfiable: DoNotSchedule``)."""

    term: PodTerm
    skew: int
    least_domains: int = 1
    honors_affinity: bool = True
    honors_taints: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PodClass:
    """``requests`` as in `pod_requests`, sorted; ``labels`` as in the template, sorted.

    The hash of so many nested values is computed once: a search asks for it again and again.
    """

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()
    requests: tuple[tuple[str, int], ...] = ()
    ports: tuple[HostPort, ...] = ()
    nodes: NodeDemand = NodeDemand()
    attracts: tuple[PodTerm, ...] = ()
    repels: tuple[PodTerm, ...] = ()
    spreads: tuple[Spread, ...] = ()
    priority: int = 0
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = self.nodes, self.attracts, self.repels, self.spreads
        object.__setattr__(self, "_hash", hash((self.namespace, self.labels, self.requests, self.ports, rules)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def terms(self) -> tuple[PodTerm, ...]:
        """Those by which it asks for other Pods, keeps away from them, or counts them."""
        return (*self.attracts, *self.repels, *(spread.term for spread in self.spreads))


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What of a stack decides about its Pods beside their templates.

    ``priorities`` are the values of PriorityClasses (``""``: the default one), ``namespaces`` the labels of Namespaces,
    ``runtimes`` the RuntimeClasses by name.
    """

    priorities: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    runtimes: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
