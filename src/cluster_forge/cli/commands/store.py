"""store status|clean: what the store holds, and clearing it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli.session import Session, verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cluster_forge.ports.storage import StoredKind

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DAY = 86400

_KINDS = {
    "sources": "charts and manifests, as they were fetched",
    "objects": "what charts and files came to",
    "apis": "which APIs charts ask for",
    "packed": "objects as they lie in repositories and images",
    "described": "descriptions as they were read",
    "locks": "locks as they were read",
}


def _seconds(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """A time span: ``30d``, ``12h``, ``90m``; a bare number is days."""
    found = re.fullmatch(r"([0-9]{1,6})([smhdw]?)", text)
    if not found:
        raise click.BadParameter(f"{text!r} is no time span: write 30d, 12h or 90m", context, parameter)
    return float(found[1]) * _UNITS[found[2] or "d"]


@click.group("store", help="What the store holds, and clearing it of what was long not used.")
def command() -> None:
    """The group; its verbs are below."""


_STORE = click.option("--store", metavar="DIR", help="The content-addressed store (default: the user's cache).")


@verb("Show what the store holds.")
@_STORE
def status(session: Session) -> None:
    """It is shared by all workspaces of a user. Everything in it can be made or fetched anew."""
    from cluster_forge.adapters.storage import housekeeping
    from cluster_forge.composition import store_root

    root = store_root(session.store)
    found = housekeeping.stored_kinds(root)
    session.say(str(root))
    _tell(session, found)
    session.answer("store status", store=str(root), kinds=_json(found))


@verb("Remove what was not used for some time.")
@_STORE
@click.option("--older-than", metavar="AGE", callback=_seconds, default="30d", show_default=True, help="30d, 12h, 90m.")
@click.option("--sources", is_flag=True, help="Fetched charts and manifests, too; they have to be fetched again then.")
def clean(session: Session, older_than: float, sources: bool) -> None:
    """What was made is made again when it is needed; nothing but time is lost."""
    from cluster_forge.adapters.storage import housekeeping
    from cluster_forge.composition import store_root

    root = store_root(session.store)
    removed = housekeeping.clean(root, older_than, sources=sources)
    session.say(f"removed from {root}:")
    _tell(session, removed)
    session.answer("store clean", store=str(root), removed=_json(removed))


def _tell(session: Session, shelves: Sequence[StoredKind]) -> None:
    from cluster_forge.cli.description import size

    for each in shelves:
        age = f", unused for up to {each.oldest / _DAY:.0f} days" if each.oldest >= _DAY else ""
        session.say(
            f"  {each.kind:<9} {each.entries:>6} entries, {size(each.size):>9}{age}  ({_KINDS.get(each.kind, '')})"
        )
    session.say(
        f"  {'all':<9} {sum(each.entries for each in shelves):>6} entries, {size(sum(each.size for each in shelves)):>9}"
    )


def _json(shelves: Sequence[StoredKind]) -> list[dict[str, Any]]:
    return [
        {"kind": each.kind, "entries": each.entries, "bytes": each.size, "oldest": round(each.oldest)}
        for each in shelves
    ]


command.add_command(status, "status")
command.add_command(clean, "clean")
