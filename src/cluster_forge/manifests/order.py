"""An order of the parts of a stack in which each comes after those that it needs, and the steps between waves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
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


def sequence(after: Mapping[ComponentName, Iterable[ComponentName]]) -> list[ComponentName]:
    """The names in an order in which each comes after those that it needs; names that are not a key are ignored.

    Raises:
        OrderError: for a cycle, which it shows.
    """
    graph = {name: sorted(other for other in others if other in after) for name, others in after.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = list(reversed(error.args[1]))
        raise OrderError(
            f"components need each other in a cycle: {' → '.join(cycle)}", fix="remove one `needs` of the cycle"
        ) from error


def is_first(holds: Sequence[ObjectId]) -> bool:
    """Whether these objects are definitions alone, which others refer to and which refer to nothing."""
    kinds = {(identity.group, identity.kind) for identity in holds}
    return bool(kinds) and kinds <= _DEFINITIONS
