"""A source as locked, and what there is by now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.versions import SemanticVersion
from cluster_forge.ports.sources import ChartRelease


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """What is locked, and what is offered: the newest version that the description allows, the newest one for the target's
    Kubernetes version, and the newest one at all. None: there is none.

    Versions are those of a chart, tags in Git, commits of a branch, or digests of an image. ``component`` is who has the
    source: a component, ``image.base`` or ``catalogs``; ``dependency`` the chart that its chart depends on, if it is that.
    ``locked`` is empty for what is not in the lock. ``releases`` are the versions that are named here, of a chart.
    ``errors`` are there instead of versions if the question failed.
    """

    component: str
    dependency: str = ""
    address: str
    asked: str
    locked: str = ""
    in_range: str | None = None
    fitting: str | None = None
    newest: str | None = None
    is_withdrawn: bool = False
    """Whether the locked version is not offered any more."""
    is_moved: bool = False
    """Whether the tag names something else than what is locked."""
    releases: Mapping[str, ChartRelease] = field(default_factory=dict)
    errors: tuple[ForgeError, ...] = ()

    @property
    def title(self) -> str:
        """What it is called: ``shop``, or ``shop/db`` for a dependency."""
        return f"{self.component}/{self.dependency}" if self.dependency else self.component

    @property
    def is_outdated(self) -> bool:
        """Whether a version for the target is newer than the locked one."""
        return self.fitting is not None and _is_newer(self.fitting, self.locked)

    @property
    def is_deprecated(self) -> bool:
        """Whether the maintainers call the chart deprecated: its newest version says so (Helm, "Deprecating Charts")."""
        return any(
            release.deprecated for version, release in self.releases.items() if version in (self.newest, self.locked)
        )

    @property
    def is_current(self) -> bool:
        """Whether nothing is to be said about it."""
        has_newer = self.newest is not None and _is_newer(self.newest, self.locked)
        return not (has_newer or self.errors or self.is_withdrawn or self.is_moved or self.is_deprecated)


def _is_newer(text: str, than: str) -> bool:
    version, other = SemanticVersion.parse(text), SemanticVersion.parse(than)
    return version > other if version and other else text != than
