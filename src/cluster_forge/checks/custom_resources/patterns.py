"""The patterns of schemas, as Go reads them (RE2), in a time that is linear in the text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

_MEMORY: Final = 1 << 20
"""Bytes of a compiled pattern."""
_LONGEST: Final = 1 << 20


def problem(pattern: str) -> str:
    """Why a pattern does not compile; empty if it does, or where RE2 is not installed."""
    compiled = _compiled(pattern)
    return compiled if isinstance(compiled, str) else ""


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches somewhere in a text; True where that is not known."""
    compiled = _compiled(pattern)
    if compiled is None or isinstance(compiled, str) or len(text) > _LONGEST:
        return True
    return compiled.search(text) is not None


@lru_cache(maxsize=2000)
def _compiled(pattern: str) -> Any:
    """The compiled pattern, why there is none, or None where RE2 is not installed."""
    try:
        import re2  # noqa: PLC0415 - 0.02 s, for few schemas
    except ImportError:
        return None
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError) as error:
        reason = error.args[0] if error.args else ""
        return (reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason))[:100] or "it is invalid"
