"""Options files: defaults for options of the command line, for all verbs or for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack import located


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A default and where it stands. ``verb`` is empty where it is for every verb that knows the option."""

    verb: str
    name: str
    value: Any
    where: str


def parse(content: bytes, file: str) -> tuple[Option, ...]:
    """Read ``option: value`` and ``verb: {option: value}``; a verb's own default comes after the common ones.

    Which verbs and options there are, only the command line knows.

    Raises:
        DescriptionError, ExceptionGroup: if it is not a mapping of these, with ``file:line``.
    """
    found = located.read(content, file).traced
    if found.content is not None and not isinstance(found.content, Mapping):
        raise DescriptionError("an options file is a mapping", where=found.where, fix="write `option: value` lines")
    common, special = [], []
    for name, member in found.mapping.items():
        if isinstance(member.content, Mapping):
            special += [
                Option(verb=name, name=inner, value=_frozen(value.plain), where=value.where)
                for inner, value in member.mapping.items()
            ]
        else:
            common.append(Option(verb="", name=name, value=_frozen(member.plain), where=member.where))
    return (*common, *special)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return MappingProxyType(value) if isinstance(value, dict) else value
