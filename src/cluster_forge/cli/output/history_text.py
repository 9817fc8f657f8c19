"""The results of `history`, `audit` and `remove`, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from cluster_forge.foundation import json_codec
from cluster_forge.foundation.names import counted

if TYPE_CHECKING:
    from cluster_forge.gitops.release import Release
    from cluster_forge.stages.deliver.cluster_records.audit_log import Entry
    from cluster_forge.stages.deliver.removal.deletion import Deletion
    from cluster_forge.stages.deliver.remove import Removal

_RELEASE = ("RELEASE", "TIME", "VERSION", "RESULT", "BY", "")
_ENTRY = ("TIME", "STACK", "ACTION", "RELEASE", "VERSION", "RESULT", "BY", "IMAGE")
_DIGITS = 19
"""Of a digest: ``sha256:`` and twelve digits."""


def lines(releases: Sequence[Release]) -> Iterator[str]:
    """A table of releases, the newest at the end."""
    yield from _table([_RELEASE, *(_row(one) for one in releases)])


def release_json(release: Release) -> dict[str, Any]:
    content = plain(json_codec.dump(release))
    return {key: value for key, value in content.items() if key != "folders"} | {"canRollBack": bool(release.folders)}


def entries(log: Sequence[Entry]) -> Iterator[str]:
    """A table of the entries of an audit log."""
    rows = [
        (
            entry.time,
            entry.stack,
            entry.action,
            str(entry.release or ""),
            entry.version,
            entry.result,
            _by(entry.user, entry.run),
            entry.image[:_DIGITS],
        )
        for entry in log
    ]
    yield from _table([_ENTRY, *rows])


def plain(content: bytes) -> dict[str, Any]:
    """What `json_codec.dump` gave, for the JSON of a verb."""
    value: dict[str, Any] = orjson.loads(content)
    return value


def removal(planned: Removal, done: Deletion, what: str, *, is_trial: bool) -> Iterator[str]:
    """What was removed, or would be, and what stays."""
    if is_trial:
        yield f"would be removed, in this order: {', '.join(planned.components) or 'its objects'}"
        yield f"{counted(planned.objects, 'object')} of {what}; nothing was changed"
        return
    for target, reason in done.kept:
        yield f"  stays: {target}: {reason}"
    yield f"{counted(len(done.deleted), 'object')} of {what} deleted"


def removal_json(planned: Removal, done: Deletion) -> dict[str, Any]:
    return {
        "components": list(planned.components),
        "objects": planned.objects,
        "deleted": [str(target) for target in done.deleted],
        "kept": [{"object": str(target), "reason": reason} for target, reason in done.kept],
    }


def _row(release: Release) -> tuple[str, ...]:
    note = release.cause or ("" if release.folders else "deploy.sh: without its files")
    if release.message:
        note = f"{note}: {release.message}" if note else release.message
    return (
        str(release.number),
        release.began,
        release.version,
        release.result.value,
        _by(release.user, release.run),
        note,
    )


def _by(user: str, run: str) -> str:
    """The user that the cluster knows, and the machine."""
    host = run.partition("/")[0]
    return f"{user} ({host})" if user and host else user or host


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
