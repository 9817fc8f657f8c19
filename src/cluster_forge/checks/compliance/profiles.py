"""The profiles by which a stack is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.compliance import cis, nsa, pss
from cluster_forge.checks.compliance.control import Control, Result, judged
from cluster_forge.checks.compliance.evidence import Evidence
from cluster_forge.manifests.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A benchmark or guideline, and its controls in its order."""

    title: str
    controls: Sequence[Control]


PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        name: Profile(title=module.TITLE, controls=module.CONTROLS)
        for name, module in (("cis", cis), ("nsa", nsa), ("pss", pss))
    }
)


def results(profile: Profile, checked: CheckedStack, is_wanted: Callable[[Manifest], bool]) -> list[Result]:
    """What became of each control of a profile, for the objects that are wanted."""
    evidence = Evidence(checked)
    return [judged(control, evidence, is_wanted) for control in profile.controls]
