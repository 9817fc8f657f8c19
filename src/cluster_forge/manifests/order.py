"""The deployment order of the parts of a stack: one wave for each part, lower ones first.

A wave that the user set is kept. The others follow from the objects of a part (definitions come before what may use
them) and from the parts that it needs: its wave is at least one step after each of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from cluster_forge.foundation.errors import OrderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId

STEP = 10

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
    """One part to be ordered: the wave that the user set, the parts that come before it, and its objects."""

    name: ComponentName
    wave: int | None
    after: frozenset[ComponentName]
    holds: Sequence[ObjectId]


def waves(units: Sequence[Unit]) -> dict[ComponentName, int]:
    """The wave of every unit. Names in ``after`` that are not a unit are ignored.

    Raises:
        OrderError: for a cycle, which it shows.
    """
    known = {unit.name: unit for unit in units}
    assigned: dict[ComponentName, int] = {}
    for name in sequence({unit.name: unit.after for unit in units}):
        unit = known[name]
        earliest = [assigned[other] + STEP for other in unit.after & known.keys()]
        assigned[name] = unit.wave if unit.wave is not None else max([_natural(unit.holds), *earliest])
    return {unit.name: assigned[unit.name] for unit in units}


def sequence(after: Mapping[ComponentName, Iterable[ComponentName]]) -> list[ComponentName]:
    """The names in an order in which each comes after those that it needs; names that are not a key are ignored.

    Raises:
        OrderError: for a cycle, which it shows.
    """
    graph = {name: sorted(other for other in others if other in after) for name, others in after.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = " → ".join(reversed(error.args[1]))
        raise OrderError(
            f"components need each other in a cycle: {cycle}",
            fix="remove one `needs` of the cycle",
        ) from error


def _natural(holds: Sequence[ObjectId]) -> int:
    """Definitions alone: -100; CRDs with their controller: -50; everything else: 0."""
    kinds = {(identity.group, identity.kind) for identity in holds}
    if kinds and kinds <= _DEFINITIONS:
        return -100
    return -50 if CRD in kinds else 0
