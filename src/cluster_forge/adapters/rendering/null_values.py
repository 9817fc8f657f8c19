"""Values that are null, which removes a chart's default, where a template needs one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.stack.model import Values

_READ: Final = re.compile(r"<[^<>]*?\.Values\.([\w.-]+)[^<>]*>|\bat '/([^']+)'")
"""How Helm names the value that a template reads, and the one that does not fit a schema."""


def fix_for(message: str, values: Values) -> str:
    """The line to write for a value that is null and that Helm's ``message`` names; empty for any other message."""
    for match in _READ.finditer(message):
        path = match[1] or match[2].replace("/", ".")
        keys = path.split(".")
        prefixes = [keys[:length] for length in range(1, len(keys) + 1)]
        null = next((prefix for prefix in prefixes if _is_null(values, prefix)), None)
        if null:
            empty = '""' if null == keys else "{}"
            return (
                f"`{'.'.join(null)}: null` in the values removes the chart's default, and the chart needs one: "
                f"remove that line, or write `{null[-1]}: {empty}`"
            )
    return ""


def _is_null(values: Any, keys: list[str]) -> bool:
    for key in keys:
        if not isinstance(values, Mapping) or key not in values:
            return False
        values = values[key]
    return values is None
