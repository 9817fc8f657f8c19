"""Which components of a stack are selected: by name, by files of names (``--select``), or by exclusion (``--skip``)."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack.input_files import InputFiles, in_input
from cluster_forge.stack.resolve import Resolved, unknown_name
from cluster_forge.yaml.positioned import Positioned


def typed(names: Sequence[str]) -> list[Positioned]:
    """Names from the command line, which have no position."""
    return [Positioned(name, "") for name in names]


def read_names(files: InputFiles, path: str, errors: list[ForgeError]) -> list[Positioned]:
    """The names in a file, whose ``path`` is relative to ``input/`` or to the workspace."""
    candidates = (in_input(path), posixpath.normpath(path))
    existing = next((candidate for candidate in candidates if files.text(candidate) is not None), None)
    if existing is None:
        errors.append(
            DescriptionError(
                f"file {path} does not exist in input/ or in the workspace", fix="correct the path after --select"
            )
        )
        return []
    documents = files.documents(existing, errors) or []
    return [name for document in documents for name in _names(document, errors)]


def select(
    resolved: Resolved, names: Sequence[Positioned], skip: Sequence[Positioned], errors: list[ForgeError]
) -> tuple[str, ...]:
    """The stack's components that ``names`` stand for (all of them without names), except those of ``skip``."""
    selected: set[str] = set()
    for name in names:
        members = _members(resolved, name, errors)
        selected.update(members)
        absent = [member for member in members if member not in resolved.stack]
        if absent:
            errors.append(_not_in_stack(name, absent))
    skipped = {member for name in skip for member in _members(resolved, name, errors)}
    kept = tuple(name for name in resolved.stack if name not in skipped and (not names or name in selected))
    if resolved.stack and not kept and not errors:
        errors.append(
            DescriptionError("the selection leaves no components", fix="select other components, or skip fewer")
        )
    return kept


def _names(document: Positioned, errors: list[ForgeError]) -> list[Positioned]:
    fix = "write `- name: NAME`"
    if not document.items:
        errors.append(DescriptionError("a selection must be a list of names", where=document.where, fix=fix))
    names = []
    for item in document.items:
        name = item if item.string is not None else item.get("name")
        unknown = [key for key in item.mapping if key != "name"]
        if unknown:
            message = f"unknown key {unknown[0]!r} in a selection: `name` is the only one"
            errors.append(DescriptionError(message, where=item.where, fix=fix))
        elif name is None or name.string is None:
            errors.append(DescriptionError("not a name, in a selection", where=item.where, fix=fix))
        else:
            names.append(name)
    return names


def _members(resolved: Resolved, name: Positioned, errors: list[ForgeError]) -> tuple[str, ...]:
    text = str(name.content)
    if text in resolved.known or text in resolved.collections or text in resolved.offered:
        return resolved.members(text)
    errors.append(unknown_name(name, f"unknown component or collection {text!r}", resolved.names, errors))
    return ()


def _not_in_stack(name: Positioned, absent: Sequence[str]) -> DescriptionError:
    text = str(name.content)
    is_single = absent == [text]
    return DescriptionError(
        f"{text} is not in the stack" if is_single else f"{text} includes {', '.join(absent)}: not in the stack",
        where=name.where or None,
        fix=f"add {', '.join(absent)} to `components`",
    )
