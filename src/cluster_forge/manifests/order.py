"""The deployment order of the parts of a stack: one wave for each part, lower ones first.

A wave that the user set is kept. The others follow from the objects of a part (definitions come before what may use
them) and from the parts that it needs: its wave is at least one step after each of theirs. It needs the parts that the
description names, and those whose CRDs define the kinds of its objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.errors import OrderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId

STEP: Final = 10
FIRST: Final = -100
"""The wave of a part that has nothing but definitions which others refer to."""

_DEFINITIONS = frozenset(
    {
        CRD,
        ("", "Namespace"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "StorageClass"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    }
)
"""Kinds that others refer to and that refer to nothing: a part with only these comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One part to be ordered: the wave that the user set, the parts that come before it, and its objects.

    ``definitions`` are the parts whose CRDs its objects need, each with such a kind.
    """

    name: ComponentName
    wave: int | None
    after: frozenset[ComponentName]
    holds: Sequence[ObjectId]
    definitions: Mapping[ComponentName, str] = field(default_factory=dict)

    @property
    def needs(self) -> frozenset[ComponentName]:
        """Every part that comes before it. A wave that the user set takes the place of `definitions`."""
        return self.after if self.wave is not None else self.after | self.definitions.keys()


def waves(units: Sequence[Unit]) -> dict[ComponentName, int]:
    """The wave of every unit. Names in ``after`` that are not a unit are ignored.

    Raises:
        OrderError: for a cycle, which it shows.
    """
    known = {unit.name: unit for unit in units}
    assigned: dict[ComponentName, int] = {}
    reasons = {(unit.name, other): kind for unit in units for other, kind in unit.definitions.items()}
    for name in sequence({unit.name: unit.needs for unit in units}, reasons):
        unit = known[name]
        earliest = [assigned[other] + STEP for other in unit.needs & known.keys()]
        assigned[name] = unit.wave if unit.wave is not None else max([natural(unit.holds), *earliest])
    return {unit.name: assigned[unit.name] for unit in units}


def sequence(
    after: Mapping[ComponentName, Iterable[ComponentName]],
    definitions: Mapping[tuple[ComponentName, ComponentName], str] = MappingProxyType({}),
) -> list[ComponentName]:
    """The names in an order in which each comes after those that it needs; names that are not a key are ignored.

    ``definitions`` names the kind for which a component (the first) needs the CRD of another.

    Raises:
        OrderError: for a cycle, which it shows.
    """
    graph = {name: sorted(other for other in others if other in after) for name, others in after.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = list(reversed(error.args[1]))
        kinds = [
            f"{name} has {definitions[name, other]}, whose CRD {other} brings"
            for name, other in pairwise(cycle)
            if (name, other) in definitions
        ]
        raise OrderError(
            f"components need each other in a cycle: {' → '.join(cycle)}" + "".join(f"; {kind}" for kind in kinds),
            fix="remove one `needs` of the cycle"
            + (", or leave the CRDs or their custom resources to a component of their own" if kinds else ""),
        ) from error


def natural(holds: Sequence[ObjectId]) -> int:
    """The wave that follows from objects: `FIRST` for definitions alone, -50 for CRDs with their controller, else 0."""
    kinds = {(identity.group, identity.kind) for identity in holds}
    if kinds and kinds <= _DEFINITIONS:
        return FIRST
    return -50 if CRD in kinds else 0
