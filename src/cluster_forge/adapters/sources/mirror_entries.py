"""What a mirror has for a source: its entry, the index as text, and what is wrong with a mirror."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cluster_forge.adapters.sources.mirror_index import DEFAULT_BRANCH, SECTIONS, MirrorEntry, MirrorFile, MirrorPlace
from cluster_forge.foundation.errors import FetchError
from cluster_forge.ports.mirrors import MirrorCheck
from cluster_forge.stack.lock import LockedSource
from cluster_forge.yaml import document_writer

HEADER: Final = """\
# Written by `cluster-forge mirror create`: the file of each source, and its digest. `--mirror` reads it.
"""
"""The first line of every index that is written."""
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._+-]+")
_COMMIT: Final = 12
"""Digits of a commit in a file's name."""
_LONGEST: Final = 100
"""Characters of a file's name, without the digest."""


def of(source: LockedSource, index: str = "") -> MirrorEntry:
    """The entry of a source; ``index`` is its place in messages."""
    repository, _, chart = source.address.rpartition(" ")
    keys: tuple[str, ...]
    if source.address.startswith("git+"):
        section, keys = "git", (source.address, source.asked or DEFAULT_BRANCH, source.version, source.digest.hex)
        name, suffix = f"{_last(source.address)}-{source.version[:_COMMIT]}", ".tgz"
    elif source.address.startswith("oci://") and not repository:
        section, keys = "artifacts", (source.address, source.asked, source.version)
        name, suffix = _last(source.address), ".tgz"
    elif "://" not in source.address:
        section, keys = "images", (source.address, source.version, source.asked)
        name, suffix = _last(source.address).partition("@")[0].replace(":", "-"), ".tar"
    elif repository:
        section, keys = "charts", (repository, chart, source.version)
        name, suffix = f"{_last(chart)}-{source.version}", ".tgz"
    else:
        section, keys = "manifests", (source.address,)
        name, suffix = _last(source.address.partition("?")[0]).removesuffix(".yaml").removesuffix(".yml"), ".yaml"
    shown = _UNSAFE.sub("-", name)[:_LONGEST].lstrip(".-") or section
    file = f"{section}/{shown}-{source.digest.hex[:12]}{suffix}"
    return MirrorEntry(section=section, keys=keys, file=MirrorFile(name=file, digest=source.digest, where=index))


def merged(entries: Iterable[MirrorEntry]) -> Sequence[MirrorEntry]:
    """The entries sorted; later ones are instead of earlier ones with the same key."""
    return [entry for _, entry in sorted({entry.key: entry for entry in entries}.items())]


def index(entries: Sequence[MirrorEntry]) -> bytes:
    """The text of an index with these entries."""
    lines = [HEADER.rstrip("\n")]
    for section in SECTIONS:
        items = [_fields(entry) for entry in entries if entry.section == section]
        lines.append(f"{section}:" if items else f"{section}: []")
        lines.extend(document_writer.sequence(items))
    return "".join(f"{line}\n" for line in lines).encode()


def damage(place: MirrorPlace, file: MirrorFile) -> FetchError | None:
    """Why a file cannot be used."""
    try:
        place.content(file)
    except FetchError as error:
        return error
    return None


def check(place: MirrorPlace, wanted: Sequence[LockedSource]) -> MirrorCheck:
    """Compare every file of a mirror with its index, and the index with the sources ``wanted``.

    Raises:
        FetchError, ExceptionGroup: if the index cannot be read.
    """
    entries = place.entries()
    by_key = {entry.key: entry for entry in entries}
    files = {(entry.file.name, entry.file.digest): entry.file for entry in entries}
    problems = [problem for file in files.values() if (problem := damage(place, file))]
    problems += [problem for source in wanted if (problem := _difference(source, by_key, place.title))]
    return MirrorCheck(files=len(files), problems=tuple(problems))


def _difference(source: LockedSource, entries: Mapping[tuple[str, ...], MirrorEntry], title: str) -> FetchError | None:
    """What is wrong with the index if the source is wanted."""
    entry = entries.get(of(source).key)
    if entry and entry.file.digest == source.digest:
        return None
    return FetchError(
        f"{source.title} has another digest than in the lock: the lock has {source.digest}, the mirror {entry.file.digest}"
        if entry
        else f"{source.title} is not in the mirror",
        where=entry.file.where if entry else title,
        fix="run `cluster-forge mirror create`, which adds what the lock has",
    )


def _last(path: str) -> str:
    """The last part of a path, or of an address with a chart's name behind it."""
    return re.split(r"[/ ]", path)[-1]


def _fields(entry: MirrorEntry) -> dict[str, str]:
    keys = dict(zip(SECTIONS[entry.section], entry.keys, strict=True))
    return {**keys, "file": entry.file.name, "sha256": entry.file.digest.hex}
