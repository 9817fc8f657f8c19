"""The sources of a stack with what there is by now: as a table of 80 columns, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from cluster_forge.cli.output import columns
from cluster_forge.cli.output.error_text import error_json
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.foundation.git_addresses import is_commit
from cluster_forge.foundation.names import counted
from cluster_forge.stack.model import KubernetesVersion
from cluster_forge.stages.supply.outdated import OutdatedResult
from cluster_forge.stages.supply.source_status import SourceStatus

_WIDEST: Final = (18, 10, 4, 10, 10, 10, 4)
"""Characters of each column, where the table would be wider than 80."""
_DIGITS: Final = 10
"""Digits of a commit or digest that are shown: as many as its column is wide."""
_DAYS: Final = ((365 * 2, 365, "y"), (60, 30, "mo"), (0, 1, "d"))
"""From how many days on an age is given in a unit, the days of that unit, and its letters."""


def lines(result: OutdatedResult, kubernetes: KubernetesVersion, now: datetime, *, is_whole: bool) -> Iterator[str]:
    """The table of the sources of which there is something to say, or of all, and what it does not show."""
    shown = [status for status in result.sources if not status.errors and (is_whole or not status.is_current)]
    if shown:
        fits = f"FOR {kubernetes.major}.{kubernetes.minor}"
        head = ("COMPONENT", "LOCKED", "AGE", "IN RANGE", fits, "NEWEST", "AGE")
        yield from columns.table([head, *(_row(status, now) for status in shown)], _WIDEST)
    for status in shown:
        title = one_line(status.title)
        if status.is_withdrawn:
            yield f"{title}: {_short(status.locked)} is no longer offered by its repository"
        if status.is_moved:
            yield f"{title}: its tag names something else now than what is locked; `mine --update` accepts that"
        if status.is_deprecated:
            yield f"{title}: its maintainers call the chart deprecated"
        if not status.locked:
            yield f"{title}: not in the lock"
    failed = sum(bool(status.errors) for status in result.sources)
    current = sum(status.is_current for status in result.sources)
    yield f"{current} of {counted(len(result.sources), 'source')} current" + (f", {failed} unknown" if failed else "")
    if any(status.is_outdated and not status.is_moved for status in result.sources):
        yield "`mine --update NAME` takes the newest version in range; for another one change the description"
    if result.unversioned:
        yield f"{counted(len(result.unversioned), 'source')} without versions: `lock verify` finds whether they changed"


def status_json(status: SourceStatus) -> dict[str, Any]:
    """``created`` and the like are those of each version that is named, by version."""
    return {
        "component": status.component,
        "dependency": status.dependency,
        "address": status.address,
        "asked": status.asked,
        "locked": status.locked,
        "inRange": status.in_range,
        "fitting": status.fitting,
        "newest": status.newest,
        "outdated": status.is_outdated,
        "withdrawn": status.is_withdrawn,
        "moved": status.is_moved,
        "deprecated": status.is_deprecated,
        "versions": {
            version: {
                "created": release.created,
                "appVersion": release.app_version,
                "kubeVersion": release.kube_version,
                "deprecated": release.deprecated,
            }
            for version, release in status.releases.items()
        },
        "errors": [error_json(error) for error in status.errors],
    }


def _row(status: SourceStatus, now: datetime) -> tuple[str, ...]:
    return (
        status.title,
        _short(status.locked),
        _age(status, status.locked, now),
        _short(status.in_range),
        _short(status.fitting),
        _short(status.newest),
        _age(status, status.newest, now),
    )


def _short(version: str | None) -> str:
    """A version on one line; of a commit or a digest its first digits."""
    text = one_line(version or "")
    digits = text.removeprefix("sha256:")
    return digits[:_DIGITS] if digits != text or is_commit(text) else text


def _age(status: SourceStatus, version: str | None, now: datetime) -> str:
    """How old a version is: ``3d``, ``14mo``, ``2y``; empty if its repository does not say so."""
    release = status.releases.get(version or "")
    try:
        created = datetime.fromisoformat(release.created if release else "")
    except ValueError:
        return ""
    days = (now - (created if created.tzinfo else created.replace(tzinfo=UTC))).days
    if not 0 <= days < 365 * 100:  # a clock, or Go's zero time
        return ""
    return next(f"{days // length}{unit}" for least, length, unit in _DAYS if days >= least)
