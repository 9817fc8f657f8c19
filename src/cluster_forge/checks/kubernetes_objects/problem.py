"""What an API server refuses in an object: at which field, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cluster_forge.checks import report
from cluster_forge.manifests import field_path
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest

INVALID: Final = "schema-invalid"
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """``steps`` lead to the field from the object, or from what a `Rule` was given."""

    steps: tuple[Step, ...]
    message: str
    fix: str
    severity: Severity = Severity.ERROR
    code: str = INVALID

    def below(self, *steps: Step) -> Problem:
        """The problem as seen from further up."""
        return replace(self, steps=(*steps, *self.steps))

    def finding(self, manifest: Manifest) -> Finding:
        """The problem as a finding about an object."""
        field = field_path.text(self.steps)
        return report.finding(manifest, self.severity, self.code, self.message, fix=self.fix, field=field)


Rule = Callable[[Mapping[str, Any], int], Iterator[Problem]]
"""What is wrong with a mapping beyond the types of its fields, in a minor version of Kubernetes. Nothing is known of its values."""


def shown(text: object) -> str:
    """A value as messages quote it, shortened. Never of a field that may hold a secret."""
    quoted = repr(text)
    return quoted if len(quoted) <= _LONGEST else f"{quoted[: _LONGEST - 2]}…{quoted[-1]}"
