"""Charts in OCI registries, ``oci://host/path``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from cluster_forge.adapters.sources.chart_repositories import FetchedChart
from cluster_forge.foundation.errors import FetchError
from cluster_forge.ports.sources import ChartRelease
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stack.model import HelmSource


class OciRepositories:
    """`ChartRepositories` that are read from mirrors only."""

    def fetch(self, source: HelmSource, locked: LockedSource | None) -> FetchedChart:  # noqa: ARG002 - the port's
        _refuse(source)

    def releases(self, source: HelmSource) -> Sequence[ChartRelease]:
        _refuse(source)


def _refuse(source: HelmSource) -> NoReturn:
    raise FetchError(
        f"{source.repository}/{source.chart} {source.version}".rstrip()
        + " is not in a mirror, and OCI chart repositories can only be read from a mirror",
        fix="use a mirror that has it: --mirror DIR",
    )
