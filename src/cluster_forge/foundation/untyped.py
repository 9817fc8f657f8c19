"""Values that others wrote: nothing is known of their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a mapping, as it should be; otherwise an empty one."""
    return value if isinstance(value, Mapping) else _NOTHING


def sequence(value: object) -> Sequence[Any]:
    """The value if it is a list, as it should be; otherwise an empty one."""
    return value if isinstance(value, list) else ()


def texts(value: object) -> Sequence[str]:
    """The texts in the value if it is a list, as they should be; what else is in it is left out."""
    return [item for item in sequence(value) if isinstance(item, str)]
