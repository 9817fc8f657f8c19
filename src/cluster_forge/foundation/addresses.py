"""URLs without credentials, as they may be shown and stored."""

from __future__ import annotations

import hashlib
import re

_LOGIN = re.compile(r"://[^/?#]*@")


def without_credentials(url: str) -> str:
    """The URL without user, password and query, which may contain tokens."""
    return re.split(r"[?#]", _LOGIN.sub("://", url))[0]


def as_key(url: str) -> str:
    """The URL without credentials, plus a hash of the query: URLs that differ only in the query stay different."""
    shown = without_credentials(url)
    tail = _LOGIN.sub("://", url)[len(shown) :]
    return f"{shown}?{hashlib.sha256(tail.encode()).hexdigest()[:8]}" if tail else shown
