"""Changes to a description as text: what nobody asked to change, comments too, stays as it was written."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

_STACK: Final = "components"
_KNOWN: Final = "define"
_CATALOGS: Final = "catalogs"
_BEFORE: Final = 1
"""Where ruamel.yaml keeps the comments and blank lines that stand before an item."""


def with_components(text: str, names: Collection[str]) -> str:
    """The native description with ``names`` in the stack, in the order of the file, and no other component.

    What is described under ``components`` and is not among them moves to ``define``, with its comments; what is not
    described there is named at the end of ``components``. The caller sees to it that the names are known, and that what
    they need is among them.
    """
    yaml = _round_trip()
    description: CommentedMap = yaml.load(text)
    listed: CommentedSeq = description.setdefault(_STACK, CommentedSeq())
    known: CommentedSeq = description.get(_KNOWN) or CommentedSeq()
    for entry in [entry for entry in listed if _name(entry) not in names]:
        position = listed.index(entry)
        before = listed.ca.items.get(position)
        del listed[position]
        if not isinstance(entry, str):
            known.append(entry)
            if before:
                known.ca.items[len(known) - 1] = before
    if known and _KNOWN not in description:
        description.insert(list(description).index(_STACK) + 1, _KNOWN, known)
    present = {_name(entry) for entry in listed}
    listed.extend(name for name in names if name not in present)
    _close_up(listed)
    written = io.StringIO()
    yaml.dump(description, written)
    return written.getvalue()


def renamed(text: str, old: str, new: str) -> str | None:
    """The native description with the component ``new`` in the place of ``old``; None where nothing names it.

    What was said of ``old`` (values, a version, a namespace) is another component's, and goes.
    """
    yaml = _round_trip()
    description: CommentedMap = yaml.load(text)
    lists = [description.get(_STACK), *(description.get("collections") or {}).values()]
    found = False
    for listed in lists:
        for position, entry in enumerate(listed or ()):
            if _name(entry) == old:
                listed[position] = new
                found = True
    if not found:
        return None
    written = io.StringIO()
    yaml.dump(description, written)
    return written.getvalue()


def with_catalog(text: str, folder: str) -> str:
    """The native description that names a catalog of one's own; as it is if it names one."""
    yaml = _round_trip()
    description: CommentedMap = yaml.load(text)
    if description.get(_CATALOGS):
        return text
    position = list(description).index(_STACK) if _STACK in description else len(description)
    description.pop(_CATALOGS, None)
    listed = CommentedSeq([folder])
    listed.fa.set_flow_style()
    description.insert(position, _CATALOGS, listed)
    written = io.StringIO()
    yaml.dump(description, written)
    return written.getvalue()


def remarks(text: str) -> dict[str, str]:
    """What the comment on a component's first line says of it, by the component's name."""
    description: CommentedMap = _round_trip().load(text)
    entries = [*(description.get(_STACK) or ()), *(description.get(_KNOWN) or ())]
    found = {}
    for entry in entries:
        comments = [] if isinstance(entry, str) else entry.ca.items.get("name") or []
        said = next((token.value for token in comments if token and not isinstance(token, list)), "")
        found[_name(entry)] = said.partition("\n")[0].lstrip("# ").strip()
    return found


def _round_trip() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000  # lines are broken where the writer broke them
    return yaml


def _name(entry: Any) -> str:
    return str(entry if isinstance(entry, str) else entry.get("name", ""))


def _close_up(listed: CommentedSeq) -> None:
    """No blank line before what is the first item now."""
    comments = listed.ca.items.get(0)
    if comments and comments[_BEFORE]:
        while comments[_BEFORE] and not comments[_BEFORE][0].value.strip():
            del comments[_BEFORE][0]
