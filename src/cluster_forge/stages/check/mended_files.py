"""check --fix: the files of the description without what findings say is to be taken out, every other character as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.manifests.finding import Finding, Mending
from cluster_forge.yaml import positioned_reader, removals, text_tree
from cluster_forge.yaml.positioned import Path
from cluster_forge.yaml.removals import NotRemovable
from cluster_forge.yaml.text_tree import Part

_ROOT: Final = "input/"
_BOM: Final = "\ufeff"
_OLDER_KEYS: Final = {"wave": "syncwave", "exclude": "sourced-exclude"}
"""The keys of the first implementation's format."""
_OTHERWISE: Final = "the rest of the file would not mean the same then"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftFinding:
    """A finding that has a mending, and why its place in ``path`` cannot be edited by a program."""

    path: str
    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MendedFile:
    """A file of the description before and after, and the findings that this mends."""

    path: str
    before: str
    after: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MendedFiles:
    """The files that change, by path, and what a person must mend."""

    files: tuple[MendedFile, ...]
    left: tuple[LeftFinding, ...]


def mended(findings: Iterable[Finding], read: Callable[[str], bytes | None]) -> MendedFiles:
    """What changes where findings have a `Mending`, and those that cannot be mended with certainty."""
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.mending:
            by_file.setdefault(finding.mending.where.rpartition(":")[0], []).append(finding)
    files: list[MendedFile] = []
    left: list[LeftFinding] = []
    for path, of_file in sorted(by_file.items()):
        file, reasons = _mended(path, of_file, read)
        files += [file] if file else []
        left += [LeftFinding(path=path, finding=finding, reason=reason) for finding, reason in reasons]
    return MendedFiles(files=tuple(files), left=tuple(left))


def _mended(
    path: str, findings: Sequence[Finding], read: Callable[[str], bytes | None]
) -> tuple[MendedFile | None, Sequence[tuple[Finding, str]]]:
    """The file, if it changes, and the findings that are left in it."""
    try:
        text, value, root = _read(path, read)
    except NotRemovable as left:
        return None, [(finding, str(left)) for finding in findings]
    items = _items(root)
    places: dict[Path, list[Finding]] = {}
    reasons: list[tuple[Finding, str]] = []
    for finding in findings:
        try:
            places.setdefault(_place(finding.mending, items), []).append(finding)
        except NotRemovable as left:
            reasons.append((finding, str(left)))
    after, left_places = _edited(path, text, value, root, places)
    reasons += [(finding, reason) for keys, reason in left_places.items() for finding in places[keys]]
    done = tuple(finding for keys, of_place in places.items() if keys not in left_places for finding in of_place)
    return (MendedFile(path=path, before=text, after=after, findings=done) if done else None), reasons


def _read(path: str, read: Callable[[str], bytes | None]) -> tuple[str, Any, Part]:
    """The text of a file, its value, and its parts.

    Raises:
        NotRemovable: if it is not a file of the description that can be read.
    """
    content = read(path) if path.startswith(_ROOT) else None
    if content is None:
        raise NotRemovable("it is not in a file below input/")
    try:
        text = content.decode()
        value = positioned_reader.read(content, path).value
    except (UnicodeDecodeError, DescriptionError, ExceptionGroup) as error:
        raise NotRemovable("the file cannot be read") from error
    root = text_tree.of(text.removeprefix(_BOM))
    if root is None:
        raise NotRemovable("the file is empty")
    return text, value, root


def _items(root: Part) -> Mapping[int, Sequence[Part]]:
    """The outermost entries of lists that begin in each line."""
    items: dict[int, list[Part]] = {}
    for part in root.all():
        if part.path and isinstance(part.path[-1], int):
            items.setdefault(part.line, []).append(part)
    return {line: [part for part in parts if not _is_inside(part, parts[0])] for line, parts in items.items()}


def _is_inside(part: Part, other: Part) -> bool:
    return part is not other and part.path[: len(other.path)] == other.path


def _place(mending: Mending | None, items: Mapping[int, Sequence[Part]]) -> Path:
    """The keys of what a mending takes out.

    Raises:
        NotRemovable: if it is not there, or if several entries begin in its line.
    """
    assert mending is not None
    line = mending.where.rpartition(":")[2]
    parts = items.get(int(line) if line.isdecimal() else 0, ())
    if not parts:
        raise NotRemovable("no entry of a list begins there")
    if len(parts) > 1:
        raise NotRemovable("several entries begin in this line: write each in a line of its own, and run this again")
    if not mending.key:
        return parts[0].path
    member = parts[0].child(mending.key) or parts[0].child(_OLDER_KEYS.get(mending.key, mending.key))
    if member is None:
        raise NotRemovable(f"this entry has no `{mending.key}` of its own: it comes from another place")
    if not mending.item:
        return member.path
    item = next((child for child in member.children if child.scalar == mending.item), None)
    if item is None:
        raise NotRemovable(
            f"the `{mending.key}` of this entry does not have {mending.item!r}: it comes from another place"
        )
    return item.path


def _edited(path: str, text: str, value: Any, root: Part, places: Iterable[Path]) -> tuple[str, Mapping[Path, str]]:
    """The text without these places, and why some are left. Where it would not say what is meant, each is tried alone."""
    wanted = tuple(places)
    after, left = _attempt(path, text, value, root, wanted)
    if len(wanted) > 1 and _OTHERWISE in left.values():
        left = {keys: reason for one in wanted for keys, reason in _attempt(path, text, value, root, [one])[1].items()}
        after, others = _attempt(path, text, value, root, [keys for keys in wanted if keys not in left])
        left = {**left, **others}
    return after, left


def _attempt(path: str, text: str, value: Any, root: Part, wanted: Sequence[Path]) -> tuple[str, Mapping[Path, str]]:
    bom = _BOM if text.startswith(_BOM) else ""
    after, left = removals.without(text.removeprefix(bom), root, wanted)
    taken = [keys for keys in wanted if keys not in left]
    if taken and not _says(path, bom + after, _without(value, frozenset(taken))):
        return text, {keys: left.get(keys, _OTHERWISE) for keys in wanted}
    return bom + after, left


def _says(path: str, text: str, value: Any) -> bool:
    """Whether a text has this value."""
    try:
        return bool(positioned_reader.read(text.encode(), path).value == value)
    except (DescriptionError, ExceptionGroup):
        return False


def _without(value: Any, taken: frozenset[Path], path: Path = ()) -> Any:
    """A plain value without the parts at these keys, and without what is empty then."""
    if isinstance(value, dict):
        return dict(_kept(((key, inner, (*path, key)) for key, inner in value.items()), taken))
    if isinstance(value, list):
        return [kept for _, kept in _kept(((n, inner, (*path, n)) for n, inner in enumerate(value)), taken)]
    return value


def _kept(members: Iterable[tuple[Any, Any, Path]], taken: frozenset[Path]) -> Iterator[tuple[Any, Any]]:
    for key, inner, path in members:
        if path in taken:
            continue
        kept = _without(inner, taken, path)
        if kept or kept == inner:
            yield key, kept
