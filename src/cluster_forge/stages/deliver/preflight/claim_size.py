"""What the stack claims fits into one ConfigMap (ADR 0018)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.foundation.names import counted
from cluster_forge.gitops import applyset, owners, ownership
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "whose the objects are"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "too-many-objects": "The list of the stack's objects is larger than a ConfigMap can be.",
}
_MOST: Final = 1 << 20
"""Bytes of the values of a ConfigMap (Kubernetes, ``core/validation``, ``MaxSecretSize``)."""
_MOST_ANNOTATIONS: Final = 250 << 10
"""Bytes of all annotations, of which 6 KiB are left to others (``TotalAnnotationSizeLimitB``)."""


def problems(situation: Situation) -> Iterator[Problem]:
    facts, verdict = situation.owner_facts, situation.verdict
    listed = {**dict.fromkeys((*verdict.staying, *verdict.leaving), owners.STAYS_BEHIND), **situation.claimed}
    size = sum(len(ownership.line(identity, word).encode()) for identity, word in listed.items())
    claim = ownership.claim_id(facts.stack)
    inventory = sum(len(value.encode()) for value in applyset.inventory(claim, listed).values())
    if size > _MOST or inventory > _MOST_ANNOTATIONS:
        yield Problem(
            code="too-many-objects",
            message=f"the list of the stack's {counted(len(listed), 'object')} has {max(size, inventory):,} bytes, and the API server "
            f"takes {_MOST if size > _MOST else _MOST_ANNOTATIONS:,}",
            where=str(claim),
            fix="make two stacks of it, with half of the components each",
        )
