"""store status|clean: what the store holds, and removing unused entries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import verb
from cluster_forge.service_options import StoreOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cluster_forge.ports.storage import StoredKind

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DAY = 86400

_KINDS = {
    "sources": "fetched charts and manifests",
    "index": "indexes of repositories",
    "objects": "rendered objects",
    "apis": "which APIs charts require",
    "kustomized": "what kustomizations build",
    "functions": "what functions made of objects",
    "findings": "what checks found in objects",
    "packed": "objects compressed for repositories and images",
    "described": "parsed descriptions",
    "locks": "parsed locks",
    "stamps": "digests of files in workspaces",
    "casts": "digests of what was cast",
    "bases": "what smelt wrote, to merge hand edits with",
}

command = help_page.group(
    "store",
    """Show what the store holds, or remove unused entries.

    The store has fetched sources and the cache of rendered objects, for all workspaces of a user. Every entry can be
    fetched or rendered again.

    Examples:
        cluster-forge store status
        cluster-forge store clean --older-than 7d
    """,
)


def _seconds(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """A duration: ``30d``, ``12h``, ``90m``; a bare number is days."""
    match = re.fullmatch(r"([0-9]{1,6})([smhdw]?)", text)
    if not match:
        raise click.BadParameter(f"{text!r} is not a duration: write 30d, 12h or 90m", context, parameter)
    return float(match[1]) * _UNITS[match[2] or "d"]


@verb(StoreOptions)
def status(session: Session) -> None:
    """Show how many entries of each kind the store holds, and their size.

    Entries stay until `store clean` removes them. The age is that of the entry that was not used for the longest time.

    Examples:
        cluster-forge store status
        cluster-forge store status --format json
    """
    from cluster_forge import composition

    root = composition.store_root(session.store)
    kinds = composition.stored_kinds(root)
    session.print(str(root))
    for line in _lines(kinds):
        session.print(line)
    session.print_json("store status", store=str(root), kinds=_json(kinds))


@verb(StoreOptions)
@click.option(
    "--older-than",
    metavar="AGE",
    callback=_seconds,
    default="30d",
    show_default=True,
    help="Remove what was not used for this long: 30d, 12h, 90m.",
)
@click.option("--sources", is_flag=True, help="Remove fetched charts and manifests, too; they must be fetched again.")
def clean(session: Session, older_than: float, sources: bool) -> None:
    """Remove entries of the store that were not used for some time.

    Rendered objects are rendered again when they are needed. Fetched sources stay, unless --sources is given.

    Examples:
        cluster-forge store clean
        cluster-forge store clean --older-than 12h --sources
    """
    from cluster_forge import composition

    root = composition.store_root(session.store)
    removed = composition.clean_store(root, older_than, sources=sources)
    session.print(f"removed from {root}:")
    for line in _lines(removed):
        session.print(line)
    session.print_json("store clean", store=str(root), removed=_json(removed))


def _lines(kinds: Sequence[StoredKind]) -> Iterator[str]:
    from cluster_forge.cli.output.counts import size
    from cluster_forge.foundation.names import counted

    for kind in kinds:
        age = f", unused for up to {counted(round(kind.oldest / _DAY), 'day')}" if kind.oldest >= _DAY else ""
        about = f"  ({_KINDS[kind.kind]})" if kind.kind in _KINDS else ""
        yield f"  {kind.kind:<9} {counted(kind.entries, 'entry'):>15}, {size(kind.size):>9}{age}{about}"
    total = size(sum(kind.size for kind in kinds))
    yield f"  {'all':<9} {counted(sum(kind.entries for kind in kinds), 'entry'):>15}, {total:>9}"


def _json(kinds: Sequence[StoredKind]) -> list[dict[str, Any]]:
    return [
        {"kind": kind.kind, "entries": kind.entries, "bytes": kind.size, "oldest": round(kind.oldest)} for kind in kinds
    ]


command.add_command(status, "status")
command.add_command(clean, "clean")
