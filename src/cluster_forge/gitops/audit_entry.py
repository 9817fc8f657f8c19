"""A change of a stack in a cluster, as the audit log has it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final

from cluster_forge.foundation.json_codec import ADDED
from cluster_forge.gitops.release import Release, Result

_LONGEST: Final = 300
"""Characters of a message: 500 entries stay under the limit of a ConfigMap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A change of a stack. ``action``: ``deploy``, ``rollback to 3``, ``remove``, ``remove grafana``.

    ``cluster`` is one that a central Argo CD delivers to, empty for the cluster that has the log.
    """

    time: str
    stack: str
    action: str
    user: str
    run: str
    result: Annotated[str, ADDED] = ""
    cluster: Annotated[str, ADDED] = ""
    release: Annotated[int, ADDED] = 0
    version: Annotated[str, ADDED] = ""
    environment: Annotated[str, ADDED] = ""
    image: Annotated[str, ADDED] = ""
    message: Annotated[str, ADDED] = ""

    def ended(self, result: Result, message: str) -> Entry:
        """The same, with what became of it and why."""
        return replace(self, result=result.value, message=message[:_LONGEST])


def of(release: Release) -> Entry:
    """The entry about a release that has ended."""
    return Entry(
        time=release.ended,
        stack=release.stack,
        action=release.cause or "deploy",
        user=release.user,
        run=release.run,
        result=release.result.value,
        cluster=release.cluster,
        release=release.number,
        version=release.version,
        environment=release.environment,
        image=release.image,
        message=release.message[:_LONGEST],
    )
