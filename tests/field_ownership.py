"""Who set which fields of an object: server-side apply for the fake cluster (KEP-555, "Merge strategy").

A field is a path in the form of ``FieldsV1``: ``f:spec``, ``k:{"name":"web"}`` for an entry of a list with keys, ``v:"x"`` for
one of a set. There are no schemas here: the lists with keys are those of `_KEYS`, by the name of their field; every other
list is replaced as a whole.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

Tree = dict[str, Any]
FieldPath = tuple[str, ...]
Owners = dict[tuple[str, str, str], set[FieldPath]]
"""The fields of each manager, by its name, operation (``Apply``, ``Update``) and subresource."""

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
    "webhooks": ("name",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
}
_PORT_KEYS: Final = (("containerPort", "protocol"), ("port", "protocol"))
_SETS: Final = frozenset({"finalizers"})
_UNOWNED: Final = frozenset(
    {
        ("f:apiVersion",),
        ("f:kind",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                "name",
                "namespace",
                "uid",
                "resourceVersion",
                "generation",
                "creationTimestamp",
                "deletionTimestamp",
                "managedFields",
            )
        ),
    }
)
_MISSING: Final = object()


def leaves(body: Mapping[str, Any]) -> dict[FieldPath, Any]:
    """The fields that somebody can own, with their values."""
    return {path: value for path, value in _leaves(body, ()) if path[:2] not in _UNOWNED and path[:1] not in _UNOWNED}


def merged(live: Mapping[str, Any], applied: Mapping[str, Any]) -> Tree:
    """``live`` with the fields of ``applied`` over it."""
    result: Tree = _merged(live, applied, "")
    return result


def value_at(body: Mapping[str, Any], path: FieldPath) -> object:
    """The value of a field; `_MISSING` if it is not there."""
    return dict(_leaves(body, ())).get(path, _MISSING)


def without(body: Mapping[str, Any], paths: Iterable[FieldPath]) -> Tree:
    """The object without these fields, and without what is empty then."""
    tree = copy.deepcopy(dict(body))
    for path in sorted(paths, key=len, reverse=True):
        _remove(tree, path, "")
    return tree


def disputed(owners: Owners, live: Mapping[str, Any], applied: Mapping[str, Any], manager: str) -> Owners:
    """The fields that ``manager`` would change although others own them."""
    wanted, present = leaves(applied), leaves(live)
    changed = {path for path, value in wanted.items() if path in present and present[path] != value and path[-1] != "."}
    others = {key: fields & changed for key, fields in owners.items() if key[:2] != (manager, "Apply")}
    return {key: fields for key, fields in others.items() if fields}


def dumped(owners: Owners, api_version: str) -> list[Tree]:
    """``metadata.managedFields``."""
    entries = []
    for (manager, operation, subresource), fields in sorted(owners.items()):
        if not fields:
            continue
        entry: Tree = {
            "manager": manager,
            "operation": operation,
            "apiVersion": api_version,
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": _nested(fields),
        }
        entries.append({**entry, "subresource": subresource} if subresource else entry)
    return entries


def shown(path: FieldPath) -> str:
    """As the server names a field: ``.spec.containers[name="web"].image``."""
    return "".join(_shown_step(step) for step in path if step != ".")


def _shown_step(step: str) -> str:
    if step.startswith("f:"):
        return f".{step[2:]}"
    if step.startswith("k:"):
        return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(step[2:]).items()) + "]"
    return f"[={step[2:]}]"


def _leaves(value: object, path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    name = path[-1][2:] if path and path[-1].startswith("f:") else ""
    if isinstance(value, Mapping):
        if path and path[-1].startswith("k:"):
            yield (*path, "."), {}
        if not value and path:
            yield path, {}
        for key, inner in value.items():
            yield from _leaves(inner, (*path, f"f:{key}"))
    elif isinstance(value, list) and name in _SETS:
        for item in value:
            yield (*path, f"v:{json.dumps(item)}"), item
    elif isinstance(value, list) and (keys := _keys(name, value)):
        for item in value:
            yield from _leaves(item, (*path, _key_step(item, keys)))
    elif value is not None:
        yield path, value


def _keys(name: str, items: list[Any]) -> tuple[str, ...]:
    """The keys of a list of mappings; none if it is replaced as a whole."""
    if not items or not all(isinstance(item, Mapping) for item in items):
        return ()
    candidates = _PORT_KEYS if name == "ports" else ((_KEYS[name],) if name in _KEYS else ())
    return next((keys for keys in candidates if all(keys[0] in item for item in items)), ())


def _key_step(item: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    values = {key: item.get(key, "TCP" if key == "protocol" else None) for key in keys}
    return f"k:{json.dumps(values, separators=(',', ':'), sort_keys=True)}"


def _merged(live: Any, applied: Any, name: str) -> Any:
    if isinstance(live, Mapping) and isinstance(applied, Mapping):
        result = {key: copy.deepcopy(value) for key, value in live.items()}
        for key, value in applied.items():
            if value is not None:
                result[key] = _merged(live.get(key), value, key)
        return result
    if isinstance(live, list) and isinstance(applied, list):
        if name in _SETS:
            return list(dict.fromkeys([*live, *applied]))
        keys = _keys(name, applied)
        if keys and keys == _keys(name, live):
            return _merged_lists(live, applied, keys)
    return copy.deepcopy(applied)


def _merged_lists(live: list[Any], applied: list[Any], keys: tuple[str, ...]) -> list[Any]:
    by_key = {_key_step(item, keys): item for item in live}
    for item in applied:
        step = _key_step(item, keys)
        by_key[step] = _merged(by_key.get(step), item, "")
    return list(by_key.values())


def _remove(value: Any, path: FieldPath, name: str) -> None:
    """Remove a field of a mapping or list, and the containers that are empty then."""
    step, *rest = path
    if isinstance(value, dict):
        _remove_key(value, step[2:], tuple(rest))
    elif isinstance(value, list):
        _remove_entry(value, step, tuple(rest), _keys(name, value))


def _remove_key(value: Tree, key: str, rest: FieldPath) -> None:
    if not rest:
        value.pop(key, None)
    elif key in value:
        _remove(value[key], rest, key)
        if value[key] in ({}, []):
            del value[key]


def _remove_entry(value: list[Any], step: str, rest: FieldPath, keys: tuple[str, ...]) -> None:
    for item in list(value):
        if step == f"v:{json.dumps(item)}":
            value.remove(item)
        elif keys and step == _key_step(item, keys):
            if rest not in ((), (".",)):
                _remove(item, rest, "")
            elif set(item) <= set(keys):
                value.remove(item)


def _nested(paths: Iterable[FieldPath]) -> Tree:
    tree: Tree = {}
    for path in sorted(paths):
        inner = tree
        for step in path:
            inner = inner.setdefault(step, {})
    return tree
