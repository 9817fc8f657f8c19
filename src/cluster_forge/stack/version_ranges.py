"""Version ranges as texts, in Helm's syntax (Masterminds/semver, "Basic Comparisons")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.versions import SemanticVersion
from cluster_forge.stack.component import Component

_WHOLE: Final = re.compile(r"v?\d+\.\d+\.\d+(?![.\d])")


def is_exact(text: str) -> bool:
    """Whether ``text`` is one version, with all of its three numbers, or a digest in a registry; ``1.2`` is a range."""
    return "sha256:" in text or (SemanticVersion.parse(text) is not None and bool(_WHOLE.match(text)))


def intersection(one: str, other: str) -> str:
    """The range of what is in both ranges; an empty one has every version. ``,`` binds tighter than ``||``."""
    return " || ".join(
        f"{left.strip() or '*'}, {right.strip() or '*'}" for left in one.split("||") for right in other.split("||")
    )


def within_errors(components: Sequence[Component], within: str) -> Iterator[DescriptionError]:
    """An error for each component whose chart the description asks for by an exact version: no range can move it; one if
    there is no chart from a repository at all.
    """
    if components and not any(map(_has_versions, components)):
        names = ", ".join(sorted(component.name for component in components))
        yield DescriptionError(
            f"nothing in {names} has versions, so `--within {within}` has nothing to choose",
            where=components[0].where,
            fix="leave `--within` out: it is for charts from repositories; a source in Git follows its REF",
        )
    for component in components:
        helm = component.helm
        if helm and not helm.is_local and is_exact(helm.version):
            yield DescriptionError(
                f"component {component.name}: the description asks for {helm.chart} {helm.version} exactly, so "
                f"`--within {within}` has nothing to choose",
                where=component.where,
                fix=f"write `version: {within!r}` for {component.name} instead, then run `cluster-forge mine {component.name}`",
            )


def _has_versions(component: Component) -> bool:
    helm = component.helm
    return helm is not None and not helm.is_local and not helm.git
