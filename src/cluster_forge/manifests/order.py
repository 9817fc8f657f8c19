"""In which order the parts of a stack are deployed: one wave for each, lower ones first.

A wave that the user gave is taken as it is. The others follow from what a part holds (definitions come before what
may use them) and from what it must come after: it stands at least one step behind each of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from cluster_forge.foundation.errors import OrderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.identity import ObjectId

STEP = 10

_DEFINITIONS = frozenset(
    {
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("", "Namespace"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "StorageClass"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    }
)
"""What others refer to and what refers to nothing: a part that holds only these comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One part to be put in order: the wave that was asked for, what it comes after, and what it holds."""

    name: ComponentName
    wave: int | None
    after: frozenset[ComponentName]
    holds: Sequence[ObjectId]


def waves(units: Sequence[Unit]) -> dict[ComponentName, int]:
    """The wave of every unit. Names in ``after`` that are no unit are passed over.

    Raises:
        OrderError: if units come after each other in a circle, which is shown.
    """
    known = {unit.name: unit for unit in units}
    found: dict[ComponentName, int] = {}
    for name in sequence({unit.name: unit.after for unit in units}):
        unit = known[name]
        behind = [found[other] + STEP for other in unit.after & known.keys()]
        found[name] = unit.wave if unit.wave is not None else max([_natural(unit.holds), *behind])
    return {unit.name: found[unit.name] for unit in units}


def sequence(after: Mapping[ComponentName, Iterable[ComponentName]]) -> list[ComponentName]:
    """The names so that each stands behind those that it comes after; names that are no key are passed over.

    Raises:
        OrderError: if some come after each other in a circle, which is shown.
    """
    graph = {name: sorted(other for other in others if other in after) for name, others in after.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise OrderError(
            f"components need each other in a circle: {circle}",
            fix="take one `needs` out of the circle",
        ) from error


def _natural(holds: Sequence[ObjectId]) -> int:
    """Definitions alone: -100; definitions of kinds together with what serves them: -50; everything else: 0."""
    kinds = {(each.group, each.kind) for each in holds}
    if kinds and kinds <= _DEFINITIONS:
        return -100
    return -50 if ("apiextensions.k8s.io", "CustomResourceDefinition") in kinds else 0
