"""What production asks of the components that a user wrote: one finding for each component and rule.

Components of the catalog pass these rules by `catalog test`, where their files accept exceptions with a reason. A Service that
can be reached from outside is left out: who writes LoadBalancer or NodePort means it. At small nothing must stay up, so only
images that are gone count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

from cluster_forge.checks.guard import guarded
from cluster_forge.checks.production import disruption_budget, gone_image, memory_limit, replicas, requests, spread
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.model import Size


class _Rule(Protocol):
    CODE: str

    def findings(self, manifest: Manifest, component: CheckedComponent, /) -> Iterator[Finding]:
        """What is wrong with an object."""


_RULES: Final[Sequence[_Rule]] = (gone_image, requests, memory_limit, replicas, disruption_budget, spread)
_AT_SMALL: Final[Sequence[_Rule]] = (gone_image,)


def findings(manifests: Sequence[Manifest], *, size: Size, level: str) -> Iterator[Finding]:
    """The findings about the objects of one component."""
    shipped = [manifest for manifest in manifests if not manifest.facts.hook]
    component = CheckedComponent.of(shipped, size=size, level=level)
    for rule in _AT_SMALL if size is Size.SMALL else _RULES:
        of_rule = [finding for manifest in shipped for finding in guarded(rule, manifest, component)]
        if of_rule:
            yield _as_one(of_rule)


def _as_one(alike: Sequence[Finding]) -> Finding:
    """The first finding of a rule, with the number of the others."""
    first = alike[0]
    rest = f"; {len(alike) - 1} more in the component alike"
    return replace(
        first,
        severity=Severity.WARNING,
        message=first.message + (rest if len(alike) > 1 else ""),
    )
