"""Values that are null, which removes a chart's default, where a template needs one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.stack.component import Values

_READ: Final = re.compile(r"<[^<>]*?\.Values\.([\w.-]+)[^<>]*>|\bat '/([^']+)'")
"""How Helm names the value that a template reads, and the one that does not fit a schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullValue:
    """A value that is null and that a template needs: its keys, and what to write instead."""

    keys: tuple[str, ...]
    fix: str


def find(message: str, values: Values) -> NullValue | None:
    """The value that is null and that Helm's ``message`` names; None for any other message."""
    for match in _READ.finditer(message):
        path = match[1] or match[2].replace("/", ".")
        keys = path.split(".")
        prefixes = [keys[:length] for length in range(1, len(keys) + 1)]
        null = next((prefix for prefix in prefixes if _is_null(values, prefix)), None)
        if null:
            empty = '""' if null == keys else "{}"
            fix = (
                f"`{'.'.join(null)}: null` in the values removes the chart's default, and the chart needs one: "
                f"remove that line, or write `{null[-1]}: {empty}`"
            )
            return NullValue(keys=tuple(null), fix=fix)
    return None


def _is_null(values: Any, keys: list[str]) -> bool:
    for key in keys:
        if not isinstance(values, Mapping) or key not in values:
            return False
        values = values[key]
    return values is None
