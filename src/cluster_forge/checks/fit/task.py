"""Pod classes as a board of nodes understands them: numbers of nodes, of resources, and of counters.

Compiled once, so that looking at a thousand nodes for a Pod compares integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cluster_forge.checks.fit.counter import NOWHERE, Counter
from cluster_forge.checks.fit.nodes import PODS, Nodes
from cluster_forge.checks.fit.pod_class import NodeDemand, PodClass, PodTerm, Spread
from cluster_forge.manifests.host_ports import HostPort


@dataclass(frozen=True, slots=True)
class SpreadRule:
    """A spread constraint over the domains of ``counter``; ``own`` is 1 if the Pod counts itself."""

    counter: int
    skew: int
    own: int
    least_domains: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A Pod class; equal tasks are placed alike, whatever their labels.

    ``vector`` has amounts by number of resource. ``nodes`` are those that it may run on, by selectors and taints. The other
    numbers are those of counters: ``adds`` count it, ``owns`` count those that repel what it repels; none of ``repels`` and
    ``repelled`` may count a Pod in its domain, each of ``attracts`` must, but for the first Pods where it is the flag.
    """

    vector: tuple[tuple[int, int], ...]
    nodes: tuple[int, ...]
    ports: tuple[HostPort, ...] = ()
    adds: tuple[int, ...] = ()
    owns: tuple[int, ...] = ()
    repels: tuple[int, ...] = ()
    repelled: tuple[int, ...] = ()
    attracts: tuple[int, ...] = ()
    attracts_itself: bool = False
    spreads: tuple[SpreadRule, ...] = ()
    node_set: frozenset[int] = frozenset()
    """The ``nodes``, to ask for one."""

    @property
    def is_plain(self) -> bool:
        """Whether other Pods decide nothing about it but by what they request."""
        return not self.spreads and self.is_spread_only

    @property
    def is_spread_only(self) -> bool:
        """Whether it is plain but for its spreads."""
        return not (self.ports or self.repels or self.repelled or self.attracts)


_CounterKey = tuple[PodTerm, tuple[int, ...] | None]
"""What is counted, and on which nodes (None: all)."""


class _TermIndex:
    """Terms with the numbers of their counters, by a label that they ask for: most ask for one."""

    def __init__(self, terms: Iterable[tuple[PodTerm, int]]) -> None:
        self._by_label: dict[tuple[str, str] | None, list[tuple[PodTerm, int]]] = {}
        for term, number in terms:
            self._by_label.setdefault(_asked_label(term), []).append((term, number))

    def of(self, namespace: str, labels: Mapping[str, str]) -> tuple[int, ...]:
        """The counters of the terms that mean a Pod."""
        near = (self._by_label.get(label, ()) for label in (None, *labels.items()))
        return tuple(sorted(number for terms in near for term, number in terms if term.means(namespace, labels)))


def _asked_label(term: PodTerm) -> tuple[str, str] | None:
    """A label that every Pod has which a term means."""
    for one in term.selector.requirements:
        if one.is_wanted and one.values and len(one.values) == 1:
            return one.key, next(iter(one.values))
    return None


class Compiler:
    """Compiles classes for some nodes; ``classes`` are all that will be asked for, since each counts for the others, as do the
    residents of the nodes.
    """

    def __init__(self, nodes: Nodes, classes: Iterable[PodClass]) -> None:
        self.nodes = nodes
        residents = (pod for group in nodes.groups for pod in group.residents)
        self._classes = list(dict.fromkeys((*classes, *residents)))
        names = dict.fromkeys(name for group in nodes.groups for name in group.capacity)
        names |= dict.fromkeys(name for pod in self._classes for name, _ in pod.requests)
        self.resources = ["cpu", "memory", PODS, *(name for name in names if name not in ("cpu", "memory", PODS))]
        self._number = {name: number for number, name in enumerate(self.resources)}
        self._eligible: dict[tuple[NodeDemand, bool, bool], tuple[int, ...]] = {}
        self._domains: dict[tuple[str, int | None], list[int]] = {}
        self._having: dict[tuple[int, tuple[str, ...]], tuple[int, ...]] = {}
        """Nodes by the identity of those among which they were looked for, which `_eligible` keeps."""
        self._counted: dict[_CounterKey, int] = {}
        self._owned: dict[PodTerm, int] = {}
        self.counter_domains: list[Sequence[int]] = []
        self._sizes: dict[int, int] = {}
        """The number of domains, by the identity of what `_domains` keeps."""
        for pod in self._classes:
            self._register(pod)
        self._counting = _TermIndex((term, number) for (term, _), number in self._counted.items())
        self._repelling = _TermIndex(self._owned.items())
        self._interned: dict[tuple[object, ...], Task] = {}
        self._node_sets: dict[int, frozenset[int]] = {}
        self._tasks = {pod: self._task(pod) for pod in self._classes}

    def task(self, pod: PodClass) -> Task:
        """The task of a class; one object for equal ones."""
        return self._tasks[pod]

    def is_own(self, counter: int, task: Task) -> bool:
        """Whether a counter counts Pods of no other task."""
        return self._adding.get(counter, set()) <= {id(task)}

    @cached_property
    def _adding(self) -> Mapping[int, set[int]]:
        """The tasks that each counter counts, by identity."""
        adding: dict[int, set[int]] = {}
        for task in self._tasks.values():
            for number in task.adds:
                adding.setdefault(number, set()).add(id(task))
        return adding

    def counters(self) -> list[Counter]:
        """New counters, which have counted nothing."""
        return [Counter(domains, self._sizes[id(domains)]) for domains in self.counter_domains]

    def eligible(self, demand: NodeDemand, *, affinity: bool = True, taints: bool = True) -> tuple[int, ...]:
        """`Nodes.matching`, computed once."""
        key = (demand, affinity, taints)
        if key not in self._eligible:
            self._eligible[key] = tuple(self.nodes.matching(demand, affinity=affinity, taints=taints))
        return self._eligible[key]

    def _register(self, pod: PodClass) -> None:
        for term in (*pod.attracts, *pod.repels):
            self._counter((term, None))
        for term in pod.repels:
            if term not in self._owned:
                self._owned[term] = self._new(self._domains_of(term.key, None))
        for spread in pod.spreads:
            self._counter(self._spread_key(pod, spread))

    def _spread_key(self, pod: PodClass, spread: Spread) -> _CounterKey:
        """The nodes that count for a spread: those that the Pod may run on, as far as its policies say, with all its keys."""
        eligible = self.eligible(pod.nodes, affinity=spread.honors_affinity, taints=spread.honors_taints)
        counted = self._with_labels(eligible, tuple(one.term.key for one in pod.spreads))
        return spread.term, None if len(counted) == len(self.nodes) else counted

    def _counter(self, key: _CounterKey) -> int:
        if key not in self._counted:
            self._counted[key] = self._new(self._domains_of(key[0].key, key[1]))
        return self._counted[key]

    def _new(self, domains: Sequence[int]) -> int:
        self.counter_domains.append(domains)
        return len(self.counter_domains) - 1

    def _domains_of(self, key: str, counted: tuple[int, ...] | None) -> list[int]:
        """The domains of all nodes, numbered from 0; of ``counted`` ones only, if they are given."""
        place = (key, None if counted is None else id(counted))
        if place in self._domains:
            return self._domains[place]
        numbers: dict[str, int] = {}
        domains = [NOWHERE] * len(self.nodes)
        for node in range(len(self.nodes)) if counted is None else counted:
            value = self.nodes.domain(node, key)
            if value is not None:
                domains[node] = numbers.setdefault(value, len(numbers))
        self._domains[place] = domains
        self._sizes[id(domains)] = len(numbers)
        return domains

    def _with_labels(self, nodes: tuple[int, ...], keys: tuple[str, ...]) -> tuple[int, ...]:
        """Those of ``nodes`` that have all labels; computed once for the same object."""
        place = (id(nodes), keys)
        if place not in self._having:
            domains = [self._domains_of(key, None) for key in keys]
            having = tuple(node for node in nodes if all(domain[node] != NOWHERE for domain in domains))
            self._having[place] = nodes if having == nodes else having
        return self._having[place]

    def _set_of(self, nodes: tuple[int, ...]) -> frozenset[int]:
        if id(nodes) not in self._node_sets:
            self._node_sets[id(nodes)] = frozenset(nodes)
        return self._node_sets[id(nodes)]

    def _task(self, pod: PodClass) -> Task:
        labels = dict(pod.labels)
        vector = (*((self._number[name], amount) for name, amount in pod.requests), (self._number[PODS], 1))
        adds, repelled = self._counting.of(pod.namespace, labels), self._repelling.of(pod.namespace, labels)
        if not (pod.spreads or pod.attracts or pod.repels or pod.ports):
            return self._plain(vector, self.eligible(pod.nodes), adds, repelled)
        terms = (*(spread.term for spread in pod.spreads), *pod.attracts)
        nodes = self._with_labels(self.eligible(pod.nodes), tuple(term.key for term in terms))
        return Task(
            vector=vector,
            nodes=nodes,
            node_set=self._set_of(nodes),
            ports=pod.ports,
            adds=adds,
            owns=tuple(self._owned[term] for term in pod.repels),
            repels=tuple(self._counted[term, None] for term in pod.repels),
            repelled=repelled,
            attracts=tuple(self._counted[term, None] for term in pod.attracts),
            attracts_itself=all(term.means(pod.namespace, labels) for term in pod.attracts),
            spreads=tuple(
                SpreadRule(
                    self._counted[self._spread_key(pod, spread)],
                    spread.skew,
                    int(spread.term.means(pod.namespace, labels)),
                    spread.least_domains,
                )
                for spread in pod.spreads
            ),
        )

    def _plain(
        self,
        vector: tuple[tuple[int, int], ...],
        nodes: tuple[int, ...],
        adds: tuple[int, ...],
        repelled: tuple[int, ...],
    ) -> Task:
        """The task of Pods without constraints of their own; one for all that differ in nothing else."""
        key = (vector, id(nodes), adds, repelled)
        if key not in self._interned:
            self._interned[key] = Task(
                vector=vector, nodes=nodes, node_set=self._set_of(nodes), adds=adds, repelled=repelled
            )
        return self._interned[key]
