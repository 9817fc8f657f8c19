"""Patches in a description and in files of their own: read, and checked as far as that is possible without the objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.foundation.names import counted
from cluster_forge.stack.changes import DeclaredPatch, PatchTarget
from cluster_forge.stack.effective import path_text
from cluster_forge.stack.input_files import InputFiles, in_input, path_error
from cluster_forge.stack.schema.changes import PatchTargetSchema
from cluster_forge.stack.schema.validation import schema_errors, validated
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Path, Positioned

Expanded = Callable[[Positioned], Positioned]
"""A file with the variables in it replaced."""
_TARGET: Final = "target"
_OPERATIONS: Final = "operations"
_MERGE_LINES: Final = "mergeLines"
_EXAMPLE: Final = "write `target: {kind: Deployment, name: web}`"


def declared(
    entry: Positioned,
    subject: str,
    files: InputFiles,
    errors: list[ForgeError],
    *,
    expanded: Expanded = lambda file: file,
) -> DeclaredPatch | None:
    """An entry of ``patches`` that fits its schema; None, and errors, where it cannot be one. ``subject`` begins messages."""
    inline, named = entry.get("patch"), entry.get("path")
    if (inline is None) == (named is None):
        problem = "has both `patch` and `path`" if inline else "has neither `patch` nor `path`"
        fix = "remove one of the two" if inline else "add `patch: {…}`, or `path: FILE` relative to input/"
        errors.append(DescriptionError(f"{subject}: the patch {problem}", where=entry.where, fix=fix))
        return None
    root = _document(inline, subject, errors) if inline else named and _file(named, subject, files, errors)
    root = expanded(root) if root and named else root
    where = entry.where if inline else root.where if root else ""
    return of_document(root, subject, errors, target=entry.get("target"), where=where) if root else None


def of_document(
    root: Positioned, subject: str, errors: list[ForgeError], *, target: Positioned | None = None, where: str = ""
) -> DeclaredPatch | None:
    """The patch that a document is; None, and errors, where it cannot be one.

    A list is a JSON patch, and so is a mapping with ``target`` and ``operations``, which stands for itself and may have
    ``mergeLines``; any other mapping is a part of an object.
    """
    operations: Positioned | None = root if isinstance(root.content, tuple) else None
    merges_lines = False
    if _OPERATIONS in root.mapping and "kind" not in root.mapping:
        operations, target = root.mapping[_OPERATIONS], root.get(_TARGET) or target
        errors += _unknown_keys(root, subject)
        merges_lines = _merges_lines(root.get(_MERGE_LINES), subject, errors)
    selected = _target(target, subject, errors)
    where = where or root.where
    if operations is None:
        wrong = list(_body_errors(root, target, subject))
    else:
        wrong = list(_operations_errors(operations, target, subject, where))
    errors += wrong
    if wrong or (target and selected is None):
        return None
    if operations is not None:
        return DeclaredPatch(
            target=selected,
            operations=tuple(operations.plain),
            merges_lines=merges_lines,
            where=where,
            lines={path_text((place,)): operation.line for place, operation in enumerate(operations.items)},
        )
    return DeclaredPatch(target=selected, body=root.plain, where=where, lines=dict(_lines(root, ())))


def _lines(value: Positioned, path: Path) -> Iterator[tuple[str, int]]:
    """The line of each part, by its path."""
    members: Iterable[tuple[str | int, Positioned]] = (*value.mapping.items(), *enumerate(value.items))
    for step, member in members:
        yield path_text((*path, step)), member.line
        yield from _lines(member, (*path, step))


def _unknown_keys(root: Positioned, subject: str) -> Iterator[DescriptionError]:
    """The errors for keys that a JSON patch with its target does not have."""
    for key, value in root.mapping.items():
        if key not in (_TARGET, _OPERATIONS, _MERGE_LINES):
            message = f"{subject}: unknown key {key!r} beside `{_OPERATIONS}`"
            yield DescriptionError(message, where=value.where, fix="remove it")


def _merges_lines(setting: Positioned | None, subject: str, errors: list[ForgeError]) -> bool:
    if setting is None or isinstance(setting.content, bool):
        return bool(setting and setting.content)
    errors.append(
        DescriptionError(
            f"{subject}: `{_MERGE_LINES}` is neither true nor false",
            where=setting.where,
            fix=f"write `{_MERGE_LINES}: true`",
        )
    )
    return False


def _document(inline: Positioned, subject: str, errors: list[ForgeError]) -> Positioned | None:
    """What a patch is as YAML: itself, or what its text has."""
    if inline.string is None:
        return inline
    try:
        document = positioned_reader.read(inline.string.encode(), "patch")
    except (DescriptionError, ExceptionGroup) as error:
        errors += [_inside(leaf, inline, subject) for leaf in leaves(error) if isinstance(leaf, ForgeError)]
        return None
    return Positioned.of(document.value, inline)


def _inside(error: ForgeError, inline: Positioned, subject: str) -> DescriptionError:
    line = (error.where or "").partition(":")[2]
    place = f"line {line} of its text: " if line else ""
    return DescriptionError(f"{subject}: the patch: {place}{error.message}", where=inline.where, fix=error.fix)


def _file(named: Positioned, subject: str, files: InputFiles, errors: list[ForgeError]) -> Positioned | None:
    error = path_error(named, subject)
    if error:
        errors.append(error)
        return None
    path = in_input(str(named.content))
    documents = files.documents(path, errors, named)
    if documents is None:
        return None
    if len(documents) > 1:
        message = f"{subject}: {path} has {counted(len(documents), 'document')}, and a patch is one"
        fix = "make a file and an entry of each of them"
        errors.append(DescriptionError(message, where=documents[1].where, fix=fix))
        return None
    return documents[0]


def _target(target: Positioned | None, subject: str, errors: list[ForgeError]) -> PatchTarget | None:
    if target is None:
        return None
    schema = validated(PatchTargetSchema, target)
    if schema is None:
        errors += schema_errors(PatchTargetSchema, target, f"{subject}: target")
        return None
    selected = PatchTarget(**schema.model_dump())
    if not str(selected):
        message = f"{subject}: the target selects every object"
        errors.append(DescriptionError(message, where=target.where, fix=f"{_EXAMPLE}; for all of a kind `kind: KIND`"))
        return None
    return selected


def _body_errors(root: Positioned, target: Positioned | None, subject: str) -> Iterator[DescriptionError]:
    """Why a document cannot be a part of an object."""
    if not isinstance(root.content, dict | type(root.mapping)) or not root.mapping:
        message = f"{subject}: the patch is neither a part of an object nor a list of operations"
        yield DescriptionError(
            message, where=root.where, fix="write the fields that change, below `apiVersion`, `kind` and `metadata`"
        )
    elif "op" in root.mapping and "path" in root.mapping:
        yield DescriptionError(
            f"{subject}: a JSON patch is a list of operations", where=root.where, fix="write `- ` before the first key"
        )
    elif target is None:
        metadata = root.get("metadata")
        named = {
            "apiVersion": root.string_of("apiVersion"),
            "kind": root.string_of("kind"),
            "metadata.name": metadata.string_of("name") if metadata else "",
        }
        missing = [key for key, value in named.items() if not value]
        if missing:
            message = f"{subject}: the patch has no target: it lacks {' and '.join(missing)}"
            yield DescriptionError(message, where=root.where, fix=f"add them, or {_EXAMPLE}")


def _operations_errors(
    operations: Positioned, target: Positioned | None, subject: str, where: str
) -> Iterator[DescriptionError]:
    """Why a list cannot be a JSON patch; its operations are read with the objects that they change in mind (`json_operations`)."""
    if not operations.items:
        message = f"{subject}: the JSON patch has no operations"
        yield DescriptionError(message, where=where, fix="write `- {op: replace, path: /spec/…, value: …}`")
    if target is None:
        yield DescriptionError(f"{subject}: the JSON patch has no target", where=where, fix=_EXAMPLE)
