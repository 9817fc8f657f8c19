"""The objects of a stack and what each depends on: built once, in time that grows with the number of objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.names import ComponentName
from cluster_forge.graph import addresses, admission, made_objects, operating, rights, serving, surroundings
from cluster_forge.graph import references as naming
from cluster_forge.graph.edge import Edge, Reason
from cluster_forge.graph.reference import Reference, Strength, Target
from cluster_forge.graph.references import Extra
from cluster_forge.graph.workloads import Workloads
from cluster_forge.manifests.by_kind import ByKind
from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes

_NO_FIELDS: Final[Extra] = MappingProxyType({})

Kind = tuple[str, str]
"""Group and kind."""


class ObjectGraph:
    """The graph of ``manifests``, the objects with their namespaces; an object that is there twice is the first one.

    ``fields`` are references of kinds that the tables do not have, ``awaited`` the custom kinds for which a deployment waits
    until their controller says that they are ready. Everything is computed when it is first asked for.
    """

    def __init__(
        self,
        manifests: Sequence[Manifest],
        scopes: Scopes,
        *,
        fields: Extra = _NO_FIELDS,
        awaited: Collection[Kind] = (),
    ) -> None:
        self.manifests = manifests
        self.scopes = scopes
        self._fields = fields
        self._awaited = frozenset(awaited)

    @cached_property
    def objects(self) -> Mapping[Target, Manifest]:
        """The objects by group, kind, namespace and name."""
        return {target(manifest.id): manifest for manifest in reversed(self.manifests)}

    @cached_property
    def of_kind(self) -> ByKind:
        """The objects by group and kind."""
        return ByKind(self.manifests)

    @cached_property
    def of_component(self) -> Mapping[ComponentName, Sequence[Manifest]]:
        """The objects by component."""
        components: defaultdict[ComponentName, list[Manifest]] = defaultdict(list)
        for manifest in self.manifests:
            components[manifest.provenance.component].append(manifest)
        return components

    @cached_property
    def references(self) -> Mapping[ObjectId, Sequence[Reference]]:
        """What each object names, whether it is there or not; an object that names nothing has no entry."""
        named = ((manifest.id, naming.of(manifest, self.scopes, self._fields)) for manifest in self.manifests)
        return {identity: references for identity, references in named if references}

    @cached_property
    def made(self) -> Mapping[Target, Manifest]:
        """What controllers make at run time, each with the object that it is made for."""
        return {target: manifest for manifest in self.manifests for target in made_objects.of(manifest)}

    @cached_property
    def definitions(self) -> Mapping[tuple[str, str], Manifest]:
        """The CRDs by the group and kind that they define."""
        return {
            (kind.group, kind.kind): manifest
            for manifest in reversed(self.manifests)
            if manifest.id.kind == CRD_KIND and (kind := manifest.facts.defines)
        }

    @cached_property
    def workloads(self) -> Workloads:
        """The objects with Pods."""
        return Workloads(self.manifests)

    @cached_property
    def bound(self) -> Sequence[tuple[Manifest, Target, Manifest]]:
        """Each binding with its role and a workload that gets its rights."""
        bindings = [*chain.from_iterable(self.of_kind[kind] for kind in rights.BINDINGS)]
        return list(rights.bound(bindings, self.references, self.workloads))

    @cached_property
    def controllers(self) -> Mapping[Kind, Sequence[Manifest]]:
        """The workloads that handle the custom kinds of which the stack has objects."""
        kinds = [kind for kind in self.definitions if kind in self.of_kind]
        return rights.controllers(self.bound, self.objects, self.definitions, kinds)

    @cached_property
    def edges(self) -> Sequence[Edge]:
        """All of them, those of one sort after the other. Namespaces are left out: they are applied before all else."""
        references = list(chain.from_iterable(self.references.values()))
        named = [*self._named(references), *self._defined()]
        return [
            *named,
            *serving.edges(references, self.objects, self.workloads, self.of_kind),
            *operating.edges(self.controllers, self.of_kind, named, self._awaited),
            *rights.edges(self.bound),
            *admission.edges(self.of_kind, self.definitions, self.workloads),
            *surroundings.edges(self.of_kind),
            *addresses.edges(self.manifests, self.objects),
        ]

    @cached_property
    def outgoing(self) -> Mapping[ObjectId, Sequence[Edge]]:
        """What each object depends on."""
        edges: defaultdict[ObjectId, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            edges[edge.source.id].append(edge)
        return edges

    @cached_property
    def incoming(self) -> Mapping[ObjectId, Sequence[Edge]]:
        """What depends on each object."""
        edges: defaultdict[ObjectId, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            edges[edge.target.id].append(edge)
        return edges

    def unresolved(self, identity: ObjectId) -> tuple[Reference, ...]:
        """What an object names, and neither the stack has nor a controller makes of its objects."""
        named = self.references.get(identity, ())
        return tuple(one for one in named if one.target not in self.objects and one.target not in self.made)

    def _named(self, references: Sequence[Reference]) -> Iterator[Edge]:
        """References to objects of the stack, and to what is made of one."""
        for reference in references:
            strength = Strength.INFORMS if reference.is_optional else reference.strength
            if (there := self.objects.get(reference.target)) is not None:
                if there is not reference.manifest:
                    yield Edge(
                        source=reference.manifest,
                        target=there,
                        reason=Reason.NAMES,
                        strength=strength,
                        field=reference.field,
                    )
            elif (controlled := self.made.get(reference.target)) is not None and controlled is not reference.manifest:
                yield Edge(
                    source=reference.manifest,
                    target=controlled,
                    reason=Reason.NEEDS_MADE,
                    strength=strength,
                    field=reference.field,
                    detail=f"{reference.kind} {reference.name}",
                )

    def _defined(self) -> Iterator[Edge]:
        for kind, definition in self.definitions.items():
            for manifest in self.of_kind[kind]:
                yield Edge(
                    source=manifest,
                    target=definition,
                    reason=Reason.DEFINED_BY,
                    strength=Strength.REQUIRED,
                    field="apiVersion",
                )


def target(identity: ObjectId) -> Target:
    """An object's identity as references have it."""
    return identity.group, identity.kind, identity.namespace, identity.name
