"""Edits of a description's text that keep everything else, comments included, as it was written."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from cluster_forge.stack.model import GitOpsEngine

_COMPONENTS: Final = "components"
_DEFINE: Final = "define"
_CATALOGS: Final = "catalogs"
_BEFORE: Final = 1
"""The index at which ruamel.yaml keeps the comments and blank lines before an item."""
_REMARKS: Final = 34
"""The column of remarks at the end of lines, as in the starter's description."""


def with_components(text: str, names: Collection[str]) -> str:
    """The native description with exactly ``names`` in the stack, in the order of the file.

    Other components under ``components`` move to ``define``, with their comments; names that are not described there are
    added at the end of ``components``. The caller checks that the names are known and include their dependencies.
    """
    description = _loaded(text)
    listed: CommentedSeq = description.setdefault(_COMPONENTS, CommentedSeq())
    known: CommentedSeq = description.get(_DEFINE) or CommentedSeq()
    for entry in [entry for entry in listed if _name(entry) not in names]:
        position = listed.index(entry)
        before = listed.ca.items.get(position)
        del listed[position]
        if not isinstance(entry, str):
            known.append(entry)
            if before:
                known.ca.items[len(known) - 1] = before
    if known and _DEFINE not in description:
        description.insert(list(description).index(_COMPONENTS) + 1, _DEFINE, known)
    present = {_name(entry) for entry in listed}
    listed.extend(name for name in names if name not in present)
    _close_up(listed)
    return _dumped(description)


def renamed(text: str, old: str, new: str) -> str | None:
    """The native description with the component ``new`` in place of ``old``; None if it does not name ``old``.

    Settings of ``old`` (values, a version, a namespace) do not fit the new component and are removed.
    """
    description = _loaded(text)
    lists = [description.get(_COMPONENTS), *(description.get("collections") or {}).values()]
    is_named = False
    for listed in lists:
        for position, entry in enumerate(listed or ()):
            if _name(entry) == old:
                listed[position] = new
                is_named = True
    if not is_named:
        return None
    return _dumped(description)


def with_catalog(text: str, folder: str) -> str:
    """The native description with ``folder`` under ``catalogs``; unchanged if it names a catalog already."""
    description = _loaded(text)
    if description.get(_CATALOGS):
        return text
    position = list(description).index(_COMPONENTS) if _COMPONENTS in description else len(description)
    description.pop(_CATALOGS, None)
    listed = CommentedSeq([folder])
    listed.fa.set_flow_style()
    description.insert(position, _CATALOGS, listed)
    return _dumped(description)


def flux_source(name: str) -> Mapping[str, tuple[str, str]]:
    """Where Flux reads the stack ``name`` from, by the key in ``gitops``: the value, for the user to change, and a remark."""
    return {
        "source": ("oci", "Flux reads the stack from a registry, or with `external` from your Git server"),
        "url": (f"oci://registry.example.com/{name}", "write yours: `cluster-forge push` sends the stack there"),
    }


def with_engine(text: str, engine: GitOpsEngine) -> str:
    """The native description with another GitOps engine; kubectl alone (``none``) is not installed, Flux needs a source."""
    description = _loaded(text)
    section = description["gitops"]
    section["engine"] = engine.value
    if engine is GitOpsEngine.NONE and section.pop("install", None) is not None:
        _end_comment(section, "engine").value += _end_comment(section, "install").value.partition("\n")[2]
        del section.ca.items["install"]
    if engine is GitOpsEngine.FLUX:
        for place, (key, (value, remark)) in enumerate(flux_source(str(description["name"])).items(), 1):
            section.insert(place, key, value)
            section.yaml_add_eol_comment(remark, key, _REMARKS)
    return _dumped(description)


def remarks(text: str) -> dict[str, str]:
    """The comment on each component's first line, by the component's name."""
    description = _loaded(text)
    entries = [*(description.get(_COMPONENTS) or ()), *(description.get(_DEFINE) or ())]
    remarks = {}
    for entry in entries:
        comments = [] if isinstance(entry, str) else entry.ca.items.get("name") or []
        comment = next((token.value for token in comments if token and not isinstance(token, list)), "")
        remarks[_name(entry)] = comment.partition("\n")[0].lstrip("# ").strip()
    return remarks


def _loaded(text: str) -> CommentedMap:
    description: CommentedMap = _round_trip().load(text)
    return description


def _dumped(description: CommentedMap) -> str:
    text = io.StringIO()
    _round_trip().dump(description, text)
    return text.getvalue()


def _round_trip() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000  # keep the line breaks of the author
    return yaml


def _name(entry: Any) -> str:
    return str(entry if isinstance(entry, str) else entry.get("name", ""))


def _end_comment(section: CommentedMap, key: str) -> Any:
    """The comment after a value, with the blank lines up to the next key."""
    return section.ca.items[key][2]


def _close_up(listed: CommentedSeq) -> None:
    """Remove blank lines before the first item."""
    comments = listed.ca.items.get(0)
    if comments and comments[_BEFORE]:
        while comments[_BEFORE] and not comments[_BEFORE][0].value.strip():
            del comments[_BEFORE][0]
