"""A whole stack as checks see it: its objects as they will be applied, and the indexes of them that checks share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

from cluster_forge.checks import workloads
from cluster_forge.checks.inventory import Inventory, LabelIndex, Place, in_namespace
from cluster_forge.checks.presence import Presence
from cluster_forge.checks.single_objects import Find, ObjectCheck, find
from cluster_forge.checks.workloads import Workload
from cluster_forge.foundation.names import ComponentName
from cluster_forge.foundation.untyped import mapping
from cluster_forge.graph import described_fields
from cluster_forge.graph.object_graph import ObjectGraph
from cluster_forge.manifests.by_kind import ByKind
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.part import Part
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.model import Stack
from cluster_forge.stack.operated_kind import OperatedKind


class CheckedStack:
    """The objects of a stack with their namespaces, in no particular order, each with its component and template.

    ``operated`` and ``secrets`` are what operators and people make besides what the components of ``stack`` say. ``is_closed``:
    the cluster has nothing else, no other stack and nothing that was installed by hand.

    ``waves`` has the wave of each component; ``graph`` is that of the objects, where it is known already; ``find`` may know what
    `each` finds. What is derived from the objects is computed when a check first asks, once for all checks. Trees of CRDs are large: a check that reads one uses `Document.passing_body`.
    """

    def __init__(  # noqa: PLR0913 - what is known of a stack
        self,
        stack: Stack,
        manifests: Sequence[Manifest],
        *,
        waves: Mapping[ComponentName, int],
        operated: Iterable[OperatedKind] = (),
        graph: ObjectGraph | None = None,
        secrets: Iterable[Place] = (),
        is_closed: bool = False,
        find: Find = find,
    ) -> None:
        self.stack = stack
        self.manifests = manifests
        self.waves = waves
        self.operated = (*(kind for component in stack.components for kind in component.operates), *operated)
        self.secrets = frozenset((*_expected(stack), *secrets))
        self.is_closed = is_closed
        self._graph = graph
        self._find = find

    @classmethod
    def of(
        cls,
        stack: Stack,
        parts: Iterable[Part],
        manifests: Mapping[str, Manifest],
        graph: ObjectGraph | None = None,
        find: Find = find,
    ) -> Self:
        """The objects of ``parts``, which ``manifests`` has by their file."""
        waves = {part.name: part.wave for part in parts}
        return cls(stack, [*manifests.values()], waves=waves, graph=graph, find=find)

    def each(self, check: ObjectCheck) -> Iterator[Finding]:
        """What a check of single objects finds in those of the stack."""
        for manifest in self.manifests:
            yield from self._find(check, manifest, self.minor)

    @property
    def minor(self) -> int:
        """The target's minor version of Kubernetes."""
        return self.stack.target.kubernetes.minor

    @cached_property
    def of_kind(self) -> ByKind:
        """The objects by group and kind."""
        return ByKind(self.manifests)

    @cached_property
    def workloads(self) -> Sequence[Workload]:
        """The built-in workloads, with their Pods."""
        return workloads.of(self.manifests)

    @cached_property
    def workloads_in(self) -> Mapping[str, Sequence[Workload]]:
        """The workloads by namespace; a namespace without any has none."""
        namespaces: defaultdict[str, list[Workload]] = defaultdict(list)
        for workload in self.workloads:
            namespaces[workload.namespace].append(workload)
        return namespaces

    def serving(self, service: tuple[str, str]) -> Sequence[Workload]:
        """The workloads whose Pods a Service (its namespace and name) leads to; none for one without a selector."""
        manifest = self.inventory.services.get(service)
        selector = mapping(mapping(manifest.body.get("spec")).get("selector")) if manifest else {}
        return self.selected_in(service[0], {"matchLabels": selector}) if selector else ()

    def selected_in(self, namespace: str, selector: Mapping[str, Any]) -> Sequence[Workload]:
        """The workloads of a namespace whose Pods a LabelSelector selects; an empty one selects all."""
        wanted = in_namespace(mapping(selector.get("matchLabels")), namespace)
        return self._labeled_workloads.selected({**selector, "matchLabels": wanted})

    @cached_property
    def _labeled_workloads(self) -> LabelIndex[Workload]:
        return LabelIndex((in_namespace(one.labels, one.namespace), one) for one in self.workloads)

    @cached_property
    def inventory(self) -> Inventory:
        """The objects as others refer to them."""
        return Inventory(self.manifests, secrets=self.secrets, operated=self.operated)

    @cached_property
    def presence(self) -> Presence:
        """What counts as there although no manifest has it."""
        return Presence(
            stack=self.stack,
            is_closed=self.is_closed,
            graph=self.graph,
            inventory=self.inventory,
            workloads_in=self.workloads_in,
        )

    @cached_property
    def scopes(self) -> Scopes:
        """Which kinds have namespaces, by the target's version and the CRDs of the stack."""
        return Scopes.of(self.minor, self.manifests)

    @cached_property
    def graph(self) -> ObjectGraph:
        """What each object names, and what it depends on."""
        if self._graph is not None:
            return self._graph
        return ObjectGraph(self.manifests, self.scopes, fields=described_fields.of(self.stack.components))


def _expected(stack: Stack) -> Iterator[Place]:
    """The Secrets that people, a secret store or the components' programs create."""
    for component in stack.components:
        yield from ((secret.namespace, secret.name) for secret in component.secrets)
        yield from ((component.namespace or "default", name) for name in component.made_secrets)
