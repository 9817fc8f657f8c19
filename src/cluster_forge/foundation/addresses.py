"""URLs without credentials, as they may be shown and stored; the same for every URL in a text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

_START: Final = r"(?:(?<=[A-Za-z0-9+.-]{2}:)/{1,2}|(?<![^\s\"'`(=])//)"
"""Before the host; an address that was normalized as a path has one slash, one that is relative to a scheme no scheme."""
_LOGIN: Final = re.compile(rf"({_START})(?:[^/?#\s\"]*|[^/?#\s:\"]*:(?!\d*(?![^\W_]))[^\s\"]*)@")
"""User and password. The second form has a password with characters that should have been encoded: ``u:p/w@host``."""
_WHOLE_LOGIN: Final = re.compile(rf"({_START})(?:[^/?#]*|[^/?#:]*:(?!\d*(?![^\W_])).*)@", re.DOTALL)
"""The same in what is known to be one address, whose password may even have spaces and quotes."""
_BARE_LOGIN: Final = re.compile(r"\A[^\s/@:]+:[^\s/@]+@(?!sha\d+:)")
"""``user:password@host`` without a scheme; not ``image:tag@sha256:…``."""
_TAIL: Final = re.compile(rf"({_START}[^\s\"?#\\]*)(?:\?|#(?=[^\s\"]*=))[^\s\"\\]*?(?=[\]'`),.;:]*(?:[\s\"\\]|\Z))")
"""A query, or a fragment with values: both may hold tokens. Punctuation of the sentence around it stays."""
_SSH: Final = re.compile(r"(?:(?:git\+)?ssh://)?[\w.-]+@[^\s@?#]+", re.IGNORECASE)


def without_credentials(url: str) -> str:
    """The URL without user, password, query and fragment, which may contain tokens."""
    return re.split(r"[?#]", _without_login(url))[0]


def as_key(url: str) -> str:
    """The URL without credentials, plus a hash of the query: URLs that differ only in the query stay different."""
    shown = without_credentials(url)
    tail = _without_login(url)[len(shown) :]
    return f"{shown}?{hashlib.sha256(tail.encode()).hexdigest()[:8]}" if tail else shown


def is_public(url: str) -> bool:
    """Whether a URL has nothing that `without_credentials` cuts, except the user of an SSH address, ``git@host:path``."""
    if url == without_credentials(url):
        return True
    return bool(_SSH.fullmatch(url))


def masked(text: str) -> str:
    """A text with every URL in it as `without_credentials` shows it."""
    if "//" not in text and ":/" not in text:
        return text
    return _TAIL.sub(r"\1", _LOGIN.sub(r"\1", text))


def masked_values(value: Any) -> Any:
    """Nested mappings, lists and texts with every text `masked`."""
    match value:
        case str():
            return masked(value)
        case Mapping():
            return {masked(key) if isinstance(key, str) else key: masked_values(item) for key, item in value.items()}
        case list() | tuple():
            return [masked_values(item) for item in value]
        case _:
            return value


def _without_login(url: str) -> str:
    return _WHOLE_LOGIN.sub(r"\1", _BARE_LOGIN.sub("", url))
