"""Why the components of a stack come in their order: the waves, and what each component comes after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.errors import UnknownNameError
from cluster_forge.foundation.names import ComponentName, did_you_mean
from cluster_forge.graph.component_order import ComponentOrder, Link
from cluster_forge.manifests import order
from cluster_forge.stages.build.assembly.assemble import Assembly

SET: Final = "the description sets it"
FIRST: Final = "it has nothing but definitions that others refer to"
FREE: Final = "nothing must come before it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Predecessor:
    """A component that another one comes after: why, and whether it must."""

    name: ComponentName
    wave: int
    link: Link
    is_split: bool = False
    """Whether its CRDs alone are needed, which have a part of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedComponent:
    """A component in the order: ``dropped`` are those that it should come after and does not, since they come after it.

    ``why`` says what its wave follows from.
    """

    name: ComponentName
    wave: int
    why: str
    after: tuple[Predecessor, ...]
    before: tuple[ComponentName, ...]
    dropped: tuple[Predecessor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExplanation:
    """All components by name, in the order of their waves."""

    components: Mapping[ComponentName, OrderedComponent]

    @property
    def waves(self) -> Mapping[int, Sequence[OrderedComponent]]:
        """The components of each wave."""
        waves: dict[int, list[OrderedComponent]] = {}
        for component in self.components.values():
            waves.setdefault(component.wave, []).append(component)
        return waves

    def component(self, name: str) -> OrderedComponent:
        """The component of this name.

        Raises:
            UnknownNameError: if the stack has none.
        """
        known = self.components.get(ComponentName(name)) if name in [str(one) for one in self.components] else None
        if known is None:
            near = did_you_mean(name, [str(one) for one in self.components])
            raise UnknownNameError(
                f"the stack has no component {name!r}{near}", fix="`cluster-forge explain order` lists them"
            )
        return known

    def wave(self, text: str) -> Sequence[OrderedComponent]:
        """The components of the wave that ``text`` names: by its number, or by a component in it.

        Raises:
            UnknownNameError: if the stack has no such wave or component.
        """
        waves = self.waves
        try:
            number = int(text)
        except ValueError:
            return waves[self.component(text).wave]
        if number not in waves:
            raise UnknownNameError(
                f"the stack has no wave {number}", fix=f"its waves: {', '.join(map(str, sorted(waves)))}"
            )
        return waves[number]


def of(assembly: Assembly, fixed: frozenset[ComponentName]) -> OrderExplanation:
    """The explanation of ``assembly``; ``fixed`` are the components whose wave the description or the catalog sets."""
    component_order = assembly.order
    known = set(component_order.waves)
    parts = sorted(assembly.parts, key=lambda part: (part.wave, part.name))
    components = {}
    for part in parts:
        after = _after(component_order, part.name) if part.name in known else ()
        components[part.name] = OrderedComponent(
            name=part.name,
            wave=part.wave,
            why=SET if part.name in fixed else _computed(part.wave, after),
            after=after,
            before=tuple(sorted(one for one, other in component_order.links if other == part.name)),
            dropped=tuple(
                Predecessor(name=other, wave=component_order.waves[other], link=link)
                for (one, other), link in component_order.dropped.items()
                if one == part.name
            ),
        )
    return OrderExplanation(components=components)


def _after(component_order: ComponentOrder, name: ComponentName) -> tuple[Predecessor, ...]:
    return tuple(
        Predecessor(
            name=other, wave=component_order.waves[other], link=link, is_split=(name, other) in component_order.split
        )
        for (one, other), link in component_order.links.items()
        if one == name
    )


def _computed(wave: int, after: Sequence[Predecessor]) -> str:
    before = [one for one in after if one.wave + order.STEP == wave]
    if before:
        return f"one step after {', '.join(one.name for one in before)}"
    return FIRST if wave == order.FIRST and not after else FREE
