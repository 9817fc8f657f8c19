"""Addresses as they may be shown and kept: without what logs in."""

from __future__ import annotations

import hashlib
import re

_LOGIN = re.compile(r"://[^/?#]*@")


def without_credentials(url: str) -> str:
    """The address as it may be shown: neither user nor password, and no query, where tokens are."""
    return re.split(r"[?#]", _LOGIN.sub("://", url))[0]


def as_key(url: str) -> str:
    """The address as a file may keep it: as it may be shown, and still another one where only the query differs."""
    shown = without_credentials(url)
    tail = _LOGIN.sub("://", url)[len(shown) :]
    return f"{shown}?{hashlib.sha256(tail.encode()).hexdigest()[:8]}" if tail else shown
