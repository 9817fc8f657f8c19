"""The operations of a JSON patch (RFC 6902) as values, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import PatchError
from cluster_forge.foundation.names import nearest
from cluster_forge.patches import json_pointer
from cluster_forge.patches.sameness import ABSENT


class Op(StrEnum):
    """What an operation does."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    MOVE = "move"
    COPY = "copy"
    TEST = "test"


_WITH_VALUE: Final = frozenset({Op.ADD, Op.REPLACE, Op.TEST})
_WITH_SOURCE: Final = frozenset({Op.MOVE, Op.COPY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation; ``value`` is of `Op.ADD`, `Op.REPLACE` and `Op.TEST`, ``source`` (``from``) of `Op.MOVE` and `Op.COPY`."""

    op: Op
    path: str
    value: Any = ABSENT
    source: str = ""

    @property
    def as_json(self) -> dict[str, Any]:
        """As RFC 6902 writes it."""
        written = {"op": str(self.op), "path": self.path}
        if self.op in _WITH_SOURCE:
            return written | {"from": self.source}
        return written | ({"value": self.value} if self.op in _WITH_VALUE else {})

    def __str__(self) -> str:
        return f"{self.op} {self.path or '(the whole object)'}"


def parse(value: Any) -> tuple[Operation, ...]:
    """The operations of a JSON patch, as they were read from YAML or JSON.

    Raises:
        PatchError, ExceptionGroup: for what is not an operation, each with its number.
    """
    if not isinstance(value, list):
        raise PatchError(
            "a JSON patch is a list of operations", fix="write `- op: replace`, with `path` and `value` below it"
        )
    errors: list[PatchError] = []
    parsed: list[Operation] = []
    for number, entry in enumerate(value, start=1):
        try:
            parsed.append(_operation(entry))
        except PatchError as error:
            errors.append(PatchError(f"operation {number}: {error.message}", fix=error.fix))
    raise_all(errors)
    return tuple(parsed)


def _operation(entry: Any) -> Operation:
    if not isinstance(entry, Mapping):
        raise PatchError("is not a mapping", fix="write `op`, `path` and `value`")
    name = entry.get("op")
    if name not in list(Op):
        similar = nearest(str(name), [str(op) for op in Op])
        raise PatchError(f"unknown op `{name}`", fix=f"write {similar or ', '.join(Op)}")
    op = Op(name)
    needed = {"path"} | ({"value"} if op in _WITH_VALUE else set()) | ({"from"} if op in _WITH_SOURCE else set())
    if missing := sorted(needed - entry.keys()):
        raise PatchError(f"{op} has no `{missing[0]}`", fix=f"write `{missing[0]}`")
    if unknown := sorted(map(str, entry.keys() - needed - {"op"})):
        raise PatchError(f"`{op}` takes no key `{unknown[0]}`", fix="remove it")
    for key in needed - {"value"}:
        _check_pointer(entry[key], key)
    return Operation(op=op, path=entry["path"], value=entry.get("value", ABSENT), source=entry.get("from", ""))


def _check_pointer(pointer: Any, key: str) -> None:
    if not isinstance(pointer, str):
        raise PatchError(f"`{key}` is not text", fix="write a JSON Pointer, such as /spec/replicas")
    try:
        json_pointer.tokens(pointer)
    except ValueError as error:
        raise PatchError(f"`{key}`: {error}", fix="write a JSON Pointer, such as /spec/replicas") from error
