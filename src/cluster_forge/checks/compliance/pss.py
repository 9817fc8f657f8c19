"""The Pod Security Standards: their controls by the names that they have there."""

from __future__ import annotations

from typing import Final

from cluster_forge.checks.compliance.control import Control
from cluster_forge.checks.compliance.pod_judges import of_standard
from cluster_forge.checks.security import hardening_controls, host_controls
from cluster_forge.checks.security.pod_standards import Level

TITLE: Final = "Pod Security Standards"
CONTROLS: Final = tuple(
    Control(number=level, title=control.name, judge=of_standard(control.name, level))
    for level, module in ((Level.BASELINE, host_controls), (Level.RESTRICTED, hardening_controls))
    for control in module.CONTROLS
)
