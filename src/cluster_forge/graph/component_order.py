"""The order of a stack's components, from what their objects depend on.

Each component gets a wave, lower ones first, and there are as few waves as possible:

- A wave that the user set is kept, whatever the objects say (`conflicts` are findings).
- A component comes one step after those that it needs: by name, or because one of its objects requires one of theirs.
- What is only preferred counts where it closes no cycle.
- A cycle that goes through CRDs is none where these are applied first: the component is split, its CRDs are `early`.
- Components whose objects need each other in both directions, but no object itself, come in one wave: side by side each
  becomes ready once what it needs of the others is there.
- Definitions that others refer to and that refer to nothing come first of all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from cluster_forge.foundation.errors import OrderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.graph import cycles
from cluster_forge.graph.edge import Edge, Reason
from cluster_forge.graph.object_graph import ObjectGraph
from cluster_forge.manifests import order
from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.identity import ObjectId

_BEFORE_APPLYING: Final = frozenset({Reason.DEFINED_BY, Reason.ADMITTED_BY, Reason.CONVERTED_BY, Reason.IN_NAMESPACE})
"""What an API server refuses an object for; the others only keep it from becoming ready."""

_SHOWN: Final = 3
"""Objects that an error about a cycle shows for each of its steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A component to be ordered: the wave that is set, and the components that it names in ``needs``."""

    name: ComponentName
    wave: int | None = None
    needs: tuple[ComponentName, ...] = ()


@dataclass(slots=True, kw_only=True)
class Link:
    """Why one component comes after another one: it names it, or its objects depend on that one's."""

    is_named: bool = False
    edges: list[Edge] = field(default_factory=list)

    @property
    def is_hard(self) -> bool:
        """Whether it cannot come before."""
        return self.is_named or any(edge.is_hard for edge in self.edges)

    @property
    def named_sentence(self) -> str:
        """What it means that the component names the other one."""
        return "`needs` in the description or the catalog"

    @property
    def reasons(self) -> list[str]:
        """As sentences, the hard ones first."""
        named = [self.named_sentence] if self.is_named else []
        return named + [edge.sentence for edge in sorted(self.edges, key=lambda edge: not edge.is_hard)]


Pair = tuple[ComponentName, ComponentName]
"""A component, and one that comes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentOrder:
    """The waves, and why: ``links`` are those that count, ``dropped`` those that are only preferred and close a cycle.

    ``split`` are those that need the CRDs of the other one alone, which is split for that; ``together`` the sets of
    components that need each other and share a wave for that.
    """

    waves: Mapping[ComponentName, int]
    links: Mapping[Pair, Link]
    dropped: Mapping[Pair, Link]
    split: frozenset[Pair]
    together: Sequence[frozenset[ComponentName]]
    conflicts: Sequence[Pair]
    """A component with a wave that was set, and one that should come before it and does not."""

    @property
    def early(self) -> frozenset[ComponentName]:
        """The components whose CRDs come before themselves."""
        return frozenset(other for _, other in self.split)

    def required(self, name: ComponentName) -> list[ComponentName]:
        """The components that ``name`` needs, sorted; without those of which it needs the early CRDs alone."""
        after = {other for (one, other), link in self.links.items() if one == name and link.is_hard}
        return sorted(after - {*self.through_definitions(name)})

    def through_definitions(self, name: ComponentName) -> list[ComponentName]:
        """The split components of which ``name`` needs the CRDs alone, sorted."""
        return sorted(other for one, other in self.split if one == name)

    def preferred(self, name: ComponentName) -> list[ComponentName]:
        """The components that should come before ``name``, and that it does not need; sorted."""
        return sorted(other for (one, other), link in self.links.items() if one == name and not link.is_hard)


def of(components: Sequence[Ordered], graph: ObjectGraph) -> ComponentOrder:
    """The order of ``components``, whose objects are those of ``graph``. Names in ``needs`` of others are ignored.

    Raises:
        OrderError: for each cycle that nothing resolves, with its objects.
    """
    known = {one.name: one for one in components}
    links = _links(known, graph)
    fixed = {one.name: one.wave for one in components if one.wave is not None}
    binding = {pair: link for pair, link in links.items() if pair[0] not in fixed or link.is_named}
    dropped: dict[Pair, Link] = {}
    for pair in _inside(known, binding):
        if not binding[pair].is_hard:
            dropped[pair] = binding.pop(pair)
    split = _split(known, binding, links)
    binding = {pair: link for pair, link in binding.items() if pair not in split}
    together = cycles.groups(_after(known, binding))
    for group in together:
        if not _can_come_together(group, binding, graph):
            raise _error(group, _after(known, binding), links)
    binding = _without_cycles(binding, together)
    first = {name for name in known if _is_definitions(name, graph)}
    waves = _waves(known, binding, fixed, links, first)
    kept = {pair: link for pair, link in links.items() if pair not in dropped and not _is_inside(pair, together)}
    late = [
        pair for pair, link in kept.items() if link.is_hard and pair not in split and waves[pair[0]] <= waves[pair[1]]
    ]
    return ComponentOrder(waves=waves, links=kept, dropped=dropped, split=split, together=together, conflicts=late)


def _can_come_together(group: frozenset[ComponentName], binding: Mapping[Pair, Link], graph: ObjectGraph) -> bool:
    """Whether components that need each other become ready side by side: none names another one, none defines the kinds of
    another one or answers for its objects, and no object needs itself in the end.
    """
    inside = [link for pair, link in binding.items() if group.issuperset(pair)]
    between = [edge for link in inside for edge in link.edges if edge.is_hard]
    if any(link.is_named for link in inside) or any(edge.reason in _BEFORE_APPLYING for edge in between):
        return False
    objects: defaultdict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        if edge.is_hard and edge.source.provenance.component in group:
            objects[str(edge.source.id)].add(str(edge.target.id))
    return not cycles.groups(objects)


def _is_inside(pair: Pair, together: Iterable[frozenset[ComponentName]]) -> bool:
    return any(group.issuperset(pair) for group in together)


def _without_cycles(binding: Mapping[Pair, Link], together: Sequence[frozenset[ComponentName]]) -> dict[Pair, Link]:
    """The links between components, where each of a group comes after whatever one of the group does."""
    result = {pair: link for pair, link in binding.items() if not _is_inside(pair, together)}
    for group in together:
        for (one, other), link in [*result.items()]:
            if one in group:
                result |= {(member, other): result.get((member, other), link) for member in group}
    return result


def _split(known: Iterable[ComponentName], binding: Mapping[Pair, Link], links: Mapping[Pair, Link]) -> frozenset[Pair]:
    """The pairs that need the CRDs of the other component alone, where these are applied early: as few components as needed."""
    left, early = dict(binding), set[ComponentName]()
    while cyclic := [pair for pair in _inside(known, left) if _is_through_definitions(left[pair])]:
        users = Counter(other for _, other in cyclic)
        chosen = min(users, key=lambda name: (-users[name], name))
        early.add(chosen)
        left = {pair: link for pair, link in left.items() if pair[1] != chosen or not _is_through_definitions(link)}
    return frozenset(pair for pair, link in links.items() if pair[1] in early and _is_through_definitions(link))


def _links(known: Mapping[ComponentName, Ordered], graph: ObjectGraph) -> dict[Pair, Link]:
    links: defaultdict[Pair, Link] = defaultdict(Link)
    holders = _holders(known, graph)
    for edge in graph.edges:
        source = edge.source.provenance.component
        held = holders.get(edge.target.id, {})
        target = min(held, key=lambda name: (held[name], name)) if held else edge.target.provenance.component
        is_between = edge.is_ordering and source != target and source in known and target in known
        if is_between and source not in held:
            links[source, target].edges.append(edge)
    for one in known.values():
        for other in one.needs:
            if other in known and other != one.name:
                links[one.name, other].is_named = True
    return {pair: links[pair] for pair in sorted(links)}


def _holders(
    known: Mapping[ComponentName, Ordered], graph: ObjectGraph
) -> Mapping[ObjectId, Mapping[ComponentName, int]]:
    """The components of each object that more than one of them has, with the waves that they would have by name alone.

    The first of them keeps the object (`manifests.duplicates`).
    """
    if len(graph.objects) == len(graph.manifests):
        return {}
    holders: defaultdict[ObjectId, set[ComponentName]] = defaultdict(set)
    for manifest in graph.manifests:
        holders[manifest.id].add(manifest.provenance.component)
    named = {(one.name, other): Link(is_named=True) for one in known.values() for other in one.needs if other in known}
    fixed = {one.name: one.wave for one in known.values() if one.wave is not None}
    first = {name for name in known if _is_definitions(name, graph)}
    waves = _waves(known, named, fixed, named, first)
    return {
        identity: {name: waves.get(name, 0) for name in names} for identity, names in holders.items() if len(names) > 1
    }


def _after(known: Iterable[ComponentName], links: Iterable[Pair]) -> dict[ComponentName, set[ComponentName]]:
    after: dict[ComponentName, set[ComponentName]] = {name: set() for name in known}
    for one, other in links:
        after[one].add(other)
    return after


def _inside(known: Iterable[ComponentName], links: Iterable[Pair]) -> list[Pair]:
    """The pairs of which both are in the same cycle."""
    links = list(links)
    places = {name: number for number, cycle in enumerate(cycles.groups(_after(known, links))) for name in cycle}
    return [pair for pair in links if places.get(pair[0], -1) == places.get(pair[1], -2)]


def _is_through_definitions(link: Link) -> bool:
    """Whether only CRDs are required; those that are hooks come with their component."""
    return not link.is_named and all(
        edge.target.id.kind == CRD_KIND and not edge.target.facts.hook for edge in link.edges if edge.is_hard
    )


def _is_definitions(name: ComponentName, graph: ObjectGraph) -> bool:
    return order.is_first([manifest.id for manifest in graph.of_component.get(name, ())])


def _waves(
    known: Mapping[ComponentName, Ordered],
    binding: Mapping[Pair, Link],
    fixed: Mapping[ComponentName, int],
    links: Mapping[Pair, Link],
    first: Iterable[ComponentName],
) -> dict[ComponentName, int]:
    """The earliest wave of each component, earlier than those of components with a set wave that come after it."""
    after = _after(known, binding)
    names = order.sequence(after)
    latest: dict[ComponentName, int] = {}
    later = _after(known, ((other, one) for one, other in links if (one, other) in binding or one in fixed))
    for name in reversed(names):
        bounds = [fixed.get(one, latest.get(one)) for one in later[name]]
        if known_bounds := [bound for bound in bounds if bound is not None]:
            latest[name] = min(known_bounds) - order.STEP
    waves: dict[ComponentName, int] = {}
    first = frozenset(first)
    for name in names:
        base = order.FIRST if name in first else order.FIRST + order.STEP
        base = min(base, latest.get(name, base))
        earliest = max([base, *(waves[other] + order.STEP for other in after[name])])
        waves[name] = fixed.get(name, earliest)
    return {name: waves[name] for name in known}


def _error(
    cycle: frozenset[ComponentName], after: Mapping[ComponentName, set[ComponentName]], links: Mapping[Pair, Link]
) -> OrderError:
    way = cycles.shortest(after, cycle)
    return OrderError(
        f"components need each other in a cycle: {' → '.join(way)}"
        + "".join(f"; {text}" for pair in pairwise(way) for text in _steps(pair, links[pair])),
        fix="remove one `needs` of the cycle, or move one of these objects to a component of its own",
    )


def _steps(pair: Pair, link: Link) -> Iterator[str]:
    hard = [edge for edge in link.edges if edge.is_hard]
    if link.is_named:
        yield f"{pair[0]} has {pair[1]} in `needs`"
    for edge in hard[:_SHOWN]:
        yield f"{edge.sentence} ({edge.source.provenance.origin})"
