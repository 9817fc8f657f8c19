"""How processes say that the system refuses them memory."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = re.compile(
    r"[Oo]ut of memory|[Cc]annot allocate memory|MemoryError|C malloc failed|Not enough memory|failed to create new OS thread"
    r"|pthread_create failed: Resource temporarily unavailable|can't start new thread"
    r"|SIGSEGV[^\n]*\nPC=[^\n]* addr=0x0\n\ngoroutine 0 "
)
"""A thread needs memory for its stack: Go, its C start-up code and Python each say so in their own words. The last: Go's
garbage collector (1.26) follows a null pointer when the system refuses memory."""


def is_reported(stderr: str) -> bool:
    """Whether a process that ended said so."""
    return bool(_WORDS.search(stderr))
