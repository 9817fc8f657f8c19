"""The Pod Security level of each namespace, as the stack labels it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.security.pod_standards import ENFORCE, ENFORCE_VERSION, Level
from cluster_forge.foundation.untyped import mapping

_VERSION: Final = re.compile(r"v1\.([0-9]{1,4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforcedLevel:
    """What a namespace demands of its Pods: a level, by the standards of a minor version of Kubernetes."""

    level: Level
    minor: int


def enforced_levels(checked: CheckedStack) -> Mapping[str, EnforcedLevel | None]:
    """The level of each namespace of the stack; None where no label names one that Kubernetes knows."""
    return {
        namespace.id.name: enforced_level(mapping(mapping(namespace.body.get("metadata")).get("labels")), checked.minor)
        for namespace in checked.of_kind.get(("", "Namespace"), ())
    }


def enforced_level(labels: Mapping[str, object], minor: int) -> EnforcedLevel | None:
    """What the labels of a namespace demand in a cluster of a minor version; None if they name no level."""
    level = labels.get(ENFORCE)
    if level not in tuple(Level):
        return None
    version = _VERSION.fullmatch(str(labels.get(ENFORCE_VERSION, "latest")))
    return EnforcedLevel(level=Level(str(level)), minor=min(int(version.group(1)), minor) if version else minor)
