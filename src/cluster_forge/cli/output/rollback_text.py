"""What `rollback --dry-run` would do, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cluster_forge.cli.output import deploy_text, diff_text
from cluster_forge.cli.output.diff_text import Sides
from cluster_forge.cli.output.terminal_text import one_line

if TYPE_CHECKING:
    from cluster_forge.gitops.release import Release
    from cluster_forge.manifests.comparison.objects import Comparison
    from cluster_forge.stages.deliver.preflight.problem import Problem


def lines(
    release: Release, newest: Release, changes: Comparison, warnings: Sequence[Problem], where: str
) -> Iterator[str]:
    """To which release it would go, and what would change since the ``newest`` one; ``where`` is the cluster in words."""
    yield f"would go back to release {_shown(release)} of {release.stack} in {where}"
    yield f"changes since release {_shown(newest)}, {newest.result}:"
    yield from diff_text.summary(changes, Sides(before=f"release {newest.number}", after=f"release {release.number}"))
    yield from deploy_text.warnings(warnings)
    yield "nothing was changed"


def json(newest: Release, changes: Comparison) -> dict[str, Any]:
    return {"since": newest.number, "changes": diff_text.json(changes)}


def _shown(release: Release) -> str:
    return f"{release.number} ({one_line(release.version)})"
