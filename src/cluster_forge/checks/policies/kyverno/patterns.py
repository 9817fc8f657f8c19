"""Objects against patterns with anchors (kyverno, ``pkg/engine/validate`` and ``anchor``).

``(key)`` is a condition: where it does not hold, the siblings do not count. ``=(key)`` is checked only if the key is there,
``^(key)`` by at least one entry of the list, ``X(key)`` must be absent; ``<(key)`` decides whether the whole rule applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.checks.policies.kyverno import value_patterns, wildcards
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests import field_path
from cluster_forge.manifests.field_path import Step

_ANCHOR: Final = re.compile(r"([+<=X^]?)\((.+)\)")
_FIRST: Final = ("", "^", "=", "X")
"""Anchors that are looked at before the other keys."""
_DEEPEST: Final = 50
_Steps = tuple[Step, ...]


class PatternMismatchError(Exception):
    """An object is not as a pattern says; ``field`` is the first one that is not."""

    def __init__(self, steps: _Steps) -> None:
        super().__init__(field_path.text(steps))
        self.field = field_path.text(steps)


class _SkippedError(Exception):
    """A condition does not hold; ``is_nested``: one further down."""

    def __init__(self, *, is_nested: bool = False) -> None:
        super().__init__()
        self.is_nested = is_nested


def check(value: object, pattern: object) -> bool:
    """Hold an object against a pattern; False where its conditions say that it is not about the object.

    Raises:
        PatternMismatchError: if the object is not as the pattern says.
    """
    try:
        _element(value, pattern, ())
    except _SkippedError:
        return False
    return True


def _element(value: object, pattern: object, steps: _Steps) -> None:
    if len(steps) > _DEEPEST:
        raise PatternMismatchError(steps)
    if isinstance(pattern, Mapping):
        if not isinstance(value, Mapping):
            raise PatternMismatchError(steps)
        _mapping(value, _expanded(pattern, value), steps)
    elif isinstance(pattern, list):
        if not isinstance(value, list) or not pattern:
            raise PatternMismatchError(steps)
        _list(value, pattern, steps)
    else:
        values = value if isinstance(value, list) else [value]
        if not all(value_patterns.holds(one, pattern) for one in values):
            raise PatternMismatchError(steps)


def _mapping(value: Mapping[str, Any], pattern: Mapping[str, Any], steps: _Steps) -> None:
    keys = sorted(pattern)
    anchors = [key for key in keys if (match := _ANCHOR.fullmatch(key)) and match[1] in _FIRST]
    skipped: list[_SkippedError] = []
    applied = 0
    for key in anchors:
        try:
            _key(value, key, pattern[key], steps)
        except _SkippedError as error:
            skipped.append(error)
        except PatternMismatchError:
            if all(error.is_nested for error in skipped):
                raise
        else:
            applied += 1
    if skipped and (not applied or not all(error.is_nested for error in skipped)):
        raise _SkippedError(is_nested=True)
    for key in _with_anchors_first([key for key in keys if key not in anchors], pattern):
        _key(value, key, pattern[key], steps)


def _with_anchors_first(keys: Sequence[str], pattern: Mapping[str, Any]) -> Iterator[str]:
    """The keys, those before the others below which anchors may end the search."""
    first = [key for key in keys if key.startswith("<(") or _has_anchors(pattern[key])]
    yield from reversed(first)
    yield from (key for key in keys if key not in first)


def _has_anchors(pattern: object) -> bool:
    if isinstance(pattern, Mapping):
        return any(
            ((match := _ANCHOR.fullmatch(str(key))) and match[1] != "+") or _has_anchors(member)
            for key, member in pattern.items()
        )
    return isinstance(pattern, list) and any(map(_has_anchors, pattern))


def _key(value: Mapping[str, Any], key: str, pattern: object, steps: _Steps) -> None:
    match = _ANCHOR.fullmatch(key)
    anchor, name = (match[1], match[2]) if match else (None, key)
    below = (*steps, name)
    if anchor is None or anchor == "+":
        if pattern == "*" and value.get(name) is not None:
            return
        if pattern == "*":
            raise PatternMismatchError(below)
        _element(value.get(name), pattern, below)
    elif anchor == "X":
        if name in value:
            raise PatternMismatchError(below)
    elif anchor in ("", "<"):
        _condition(value, name, pattern, below, is_required=not anchor)
    elif name in value:
        (_existence if anchor == "^" else _element)(value[name], pattern, below)


def _condition(value: Mapping[str, Any], name: str, pattern: object, below: _Steps, *, is_required: bool) -> None:
    if name not in value:
        if is_required:
            raise _SkippedError
        return
    try:
        _element(value[name], pattern, below)
    except PatternMismatchError as error:
        raise _SkippedError from error


def _existence(value: object, pattern: object, steps: _Steps) -> None:
    """For each entry of the pattern at least one of the list that is as it says."""
    if not isinstance(value, list) or not isinstance(pattern, list):
        raise PatternMismatchError(steps)
    for wanted in pattern:
        if not any(_is_like(entry, wanted, steps) for entry in value):
            raise PatternMismatchError(steps)


def _is_like(entry: object, wanted: object, steps: _Steps) -> bool:
    try:
        _element(entry, wanted, steps)
    except (PatternMismatchError, _SkippedError):
        return False
    return True


def _list(value: list[Any], pattern: list[Any], steps: _Steps) -> None:
    if not isinstance(pattern[0], Mapping | list):
        _element(value, pattern[0], steps)
        return
    if isinstance(pattern[0], list) and len(value) < len(pattern):
        raise PatternMismatchError(steps)
    pairs = zip(value, pattern, strict=False) if isinstance(pattern[0], list) else ((one, pattern[0]) for one in value)
    skipped = applied = 0
    for place, (entry, wanted) in enumerate(pairs):
        try:
            _element(entry, wanted, (*steps, place))
        except _SkippedError:
            skipped += 1
        else:
            applied += 1
    if skipped and not applied:
        raise _SkippedError(is_nested=True)


def _expanded(pattern: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pattern, with keys of labels and annotations that have wildcards as the object has them."""
    metadata = pattern.get("metadata")
    if not isinstance(metadata, Mapping):
        return pattern
    changed = {key: _keys(key, entry, mapping(value.get("metadata"))) for key, entry in metadata.items()}
    return {**pattern, "metadata": changed}


def _keys(key: str, entry: object, metadata: Mapping[str, Any]) -> object:
    match = _ANCHOR.fullmatch(key)
    name = match[2] if match else key
    if name not in ("labels", "annotations") or not isinstance(entry, Mapping):
        return entry
    own = mapping(metadata.get(name))
    return {_concrete(str(wanted), own): text for wanted, text in entry.items()}


def _concrete(wanted: str, own: Mapping[str, Any]) -> str:
    match = _ANCHOR.fullmatch(wanted)
    name = match[2] if match else wanted
    concrete = next((key for key in own if wildcards.matches(name, str(key))), name) if set(name) & {"*", "?"} else name
    return f"{match[1]}({concrete})" if match else concrete
