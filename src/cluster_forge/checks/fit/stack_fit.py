"""Whether a stack fits on the nodes of its target, and what is said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.fit import demand as demanding
from cluster_forge.checks.fit import scenarios
from cluster_forge.checks.fit.budget import Budget
from cluster_forge.checks.fit.demand import Demand, Stay
from cluster_forge.checks.fit.least_nodes import STEPS, least
from cluster_forge.checks.fit.nodes import NodeGroup, Nodes
from cluster_forge.checks.fit.scenarios import NodeDown, Update, Waiting
from cluster_forge.checks.fit.search import Result, search
from cluster_forge.manifests.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class StackFit:
    """``groups`` are the nodes of the target, ``demands`` all Pods of the stack. Each answer is computed when it is asked for."""

    groups: tuple[NodeGroup, ...]
    demands: tuple[Demand, ...]
    claims: tuple[Manifest, ...] = ()
    """The volume claims that are objects of their own."""

    @classmethod
    def of(cls, checked: CheckedStack) -> StackFit:
        target = checked.stack.target
        groups = (NodeGroup.of(node, number, target.architectures) for number, node in enumerate(target.nodes))
        objects = checked.of_kind
        demands = demanding.of(objects, checked.waves, checked.operated, demanding.surroundings(objects))
        claims = objects["", "PersistentVolumeClaim"]
        return cls(groups=tuple(groups), demands=tuple(demands), claims=tuple(claims))

    @property
    def undecided(self) -> tuple[str, ...]:
        """What the nodes do not say, so that nothing can be said of it: ``cpu of target.nodes[0]``."""
        return tuple(f"{size} of {group.title}" for group in self.groups for size in group.missing_sizes)

    @cached_property
    def displaced(self) -> tuple[tuple[Demand, Demand], ...]:
        """DaemonSets whose host port another one takes on all their nodes, with that one: they never run there.

        The check of host ports reports them (``port-conflict``), so that everything else is judged without them.
        """
        nodes = Nodes(self.groups)
        wanting = [demand for demand in self.demands if demand.stay is Stay.EACH_NODE and demand.pod.ports]
        displaced: dict[str, tuple[Demand, Demand]] = {}
        for earlier, later in combinations(wanting, 2):
            is_clash = any(port.clashes_with(other) for port in earlier.pod.ports for other in later.pod.ports)
            if is_clash and str(earlier.manifest.id) not in displaced:
                own = set(nodes.matching(later.pod.nodes))
                if own and own <= set(nodes.matching(earlier.pod.nodes)):
                    displaced.setdefault(str(later.manifest.id), (later, earlier))
        return tuple(displaced.values())

    @cached_property
    def lasting(self) -> Sequence[Demand]:
        """What stays, but for what is `displaced`."""
        displaced = {id(later) for later, _ in self.displaced}
        return [demand for demand in demanding.lasting(self.demands) if id(demand) not in displaced]

    @cached_property
    def result(self) -> Result:
        """The placement of what stays."""
        later = [pod for demand in self.demands for pod in (demand.pod, demand.updated) if pod]
        return search(self.groups, self.lasting, later)

    @cached_property
    def update(self) -> Update:
        """An update, if all Pods have a place."""
        return scenarios.update(self.result)

    @cached_property
    def nodes_down(self) -> tuple[NodeDown, ...]:
        """The loss of one node, for each group of nodes."""
        nodes = scenarios.nodes_to_lose(self.result.placement)
        return tuple(scenarios.node_down(self.result, node) for node in nodes)

    @cached_property
    def passing(self) -> tuple[Waiting, ...]:
        """Pods that end and find no node beside those that stay."""
        return scenarios.passing(self.result, demanding.temporary(self.demands))

    @cached_property
    def scaled(self) -> Sequence[Demand]:
        """The demands that an autoscaler may make larger, at their largest."""
        return [demand.at_most for demand in self.demands if demand.most > demand.count]

    @cached_property
    def peak(self) -> Result | None:
        """The placement with every autoscaler at its largest; None without any."""
        if not self.scaled:
            return None
        return search(self.groups, [demand.at_most for demand in self.lasting])

    @cached_property
    def least(self) -> tuple[int | None, ...]:
        """For each group the least number of nodes that would do, with the others as they are.

        For thousands of Pods it is one that does and is near to the least: what the search may do is counted.
        """
        budget, is_placed = Budget(STEPS), self.result.is_placed
        numbers = range(len(self.groups))
        return tuple(least(self.groups, number, self.lasting, budget, is_placed=is_placed) for number in numbers)
