"""The results of `history` and `audit`, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from cluster_forge.cli.output import columns
from cluster_forge.foundation import json_codec

if TYPE_CHECKING:
    from cluster_forge.gitops.audit_entry import Entry
    from cluster_forge.gitops.release import Release

_RELEASE: Final = ("RELEASE", "TIME", "VERSION", "RESULT", "BY")
_WIDEST_RELEASE: Final = (7, 20, 14, 11, 20)
_ENTRY: Final = ("TIME", "STACK", "ACTION", "RELEASE", "VERSION", "RESULT")
_WIDEST_ENTRY: Final = (20, 10, 14, 7, 14, 8)
"""Characters of each column, where a table would be wider than 80."""
_DIGITS: Final = 19
"""Of a digest: ``sha256:`` and twelve digits."""


def lines(releases: Sequence[Release]) -> Iterator[str]:
    """A table of releases, the newest at the end; below each how it came about, and what went wrong."""
    head, *rows = columns.table([_RELEASE, *map(_row, releases)], _WIDEST_RELEASE)
    yield head
    for release, row in zip(releases, rows, strict=True):
        yield row
        note = release.cause or ("" if release.folders else "by deploy.sh: without its files, no way back")
        yield from columns.notes(filter(None, (note, release.message)))


def release_json(release: Release) -> dict[str, Any]:
    content = plain(json_codec.dump(release))
    return {key: value for key, value in content.items() if key != "folders"} | {"canRollBack": bool(release.folders)}


def entries(log: Sequence[Entry]) -> Iterator[str]:
    """A table of the entries of an audit log; below each who it was, from which image, and what went wrong."""
    if not log:
        return
    head, *rows = columns.table([_ENTRY, *map(_entry, log)], _WIDEST_ENTRY)
    yield head
    for entry, row in zip(log, rows, strict=True):
        yield row
        image = f"image {entry.image[:_DIGITS]}" if entry.image else ""
        place = f"cluster {entry.cluster}" if entry.cluster else ""
        component = _removed(entry)
        what = f"component {component}" if component else ""
        who = ", ".join(filter(None, (what, place, _by(entry.user, entry.run), image)))
        yield from columns.notes(filter(None, (who, entry.message)))


def plain(content: bytes) -> dict[str, Any]:
    """What `json_codec.dump` gave, for the JSON of a verb."""
    value: dict[str, Any] = orjson.loads(content)
    return value


def _row(release: Release) -> tuple[str, ...]:
    by = _by(release.user, release.run)
    return (str(release.number), release.began, release.version, release.result.value, by)


def _entry(entry: Entry) -> tuple[str, ...]:
    action = "remove" if _removed(entry) else entry.action
    return (entry.time, entry.stack, action, str(entry.release or ""), entry.version, entry.result)


def _removed(entry: Entry) -> str:
    """The component that was removed: its name may be longer than a column."""
    verb, _, component = entry.action.partition(" ")
    return component if verb == "remove" else ""


def _by(user: str, run: str) -> str:
    """The user that the cluster knows, and the machine."""
    host = run.partition("/")[0]
    return f"{user} ({host})" if user and host else user or host
