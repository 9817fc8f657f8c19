"""The rules of all modules, by the definition that they look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cluster_forge.checks.kubernetes_objects.problem import Rule
from cluster_forge.checks.kubernetes_objects.rules import (
    access,
    admission,
    autoscaling,
    configuration,
    containers,
    networking,
    pods,
    services,
    volumes,
    workloads,
)

_MODULES: Final = (
    access,
    admission,
    autoscaling,
    configuration,
    containers,
    networking,
    pods,
    services,
    volumes,
    workloads,
)


def _joined() -> Mapping[str, tuple[Rule, ...]]:
    joined: defaultdict[str, tuple[Rule, ...]] = defaultdict(tuple)
    for module in _MODULES:
        for definition, rules in module.RULES.items():
            joined[definition] += rules
    return MappingProxyType(dict(joined))


RULES: Final = _joined()
"""For each definition, as the table of schemas names it, the rules of its mappings."""
