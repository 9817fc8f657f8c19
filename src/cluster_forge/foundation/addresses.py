"""URLs without credentials, as they may be shown and stored; the same for every URL in a text. Hosts of this machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

_START: Final = r"(?:(?<=[A-Za-z0-9+.-]{2}:)/{1,2}|(?<![^\s\"'`(=])//)"
"""Before the host; an address that was normalized as a path has one slash, one that is relative to a scheme no scheme."""
_LOGIN: Final = re.compile(rf"({_START})(?:[^/?#\s\"]*|[^/?#\s:\"]*:(?!\d*(?![^\W_]))[^\s\"]*)@")
"""User and password. The second form has a password with characters that should have been encoded: ``u:p/w@host``."""
_SSH_SCHEME: Final = "ssh:"
_SSH_USER: Final = re.compile(r"//[\w.-]+@")
_WHOLE_LOGIN: Final = re.compile(rf"({_START})(?:[^/?#]*|[^/?#:]*:(?!\d*(?![^\W_])).*)@", re.DOTALL)
"""The same in what is known to be one address, whose password may even have spaces and quotes."""
_BARE_LOGIN: Final = re.compile(r"\A(?:[^\s/@:]+:[^\s/@]+@(?!sha\d+:))+")
"""``user:password@host`` without a scheme, at the beginning of a text; not ``image:tag@sha256:…``."""
_ODD_LOGIN: Final = re.compile(
    r"\b((?:https?|oci|git|ssh|s?ftp|s3|gs|file):)(?:\\+[^\s\"@\\]*|(?!\d*(?![^\W_]))[^\s\"/@\\:]*:[^\s\"@]*)@",
    re.IGNORECASE,
)
"""The same behind a scheme without slashes, or with backslashes: not an address, but the password may be right."""
_WORD: Final = re.compile(r"[^\s\"]+")
_UNQUOTED: Final = re.compile(r"[^\s\"\\]+")
"""A part of a text that an address with a query is in; a quote in a quoted text has a backslash before it."""
_HOST: Final = re.compile(_START)
_TAIL: Final = re.compile(r"[?#]")
_PUNCTUATION: Final = "]'`),.;:"
_FURTHER: Final = 200
"""Characters after a backslash that are searched for the value of a fragment."""
_HOST_OF: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?([^/?#]*)")
_LOOPBACK: Final = re.compile(
    r"(?:(?:.+\.)?localhost\.?|127(?:\.\d{1,3}){3}|\[::1\])(?::\d*)?|::1", re.ASCII | re.IGNORECASE
)
_SSH: Final = re.compile(r"(?:git\+)?ssh://[\w.-]+@[^\s@?#/:]+(?::\d+)?(?:/[^\s?#]*)?|[\w.-]+@[^\s@?#]+", re.IGNORECASE)
"""An SSH address with a user, whose path may have an ``@``; ``git@host:path``."""


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


def has_login(url: str) -> bool:
    """Whether a URL has a user or password; the user of an SSH address is none."""
    return url != _without_login(url) and not _SSH.fullmatch(url)


def host_of(url: str) -> str:
    """The host of a URL with its port, as written, without a login; empty if there is none."""
    match = _HOST_OF.match(url)
    return match[1] if match else ""


def is_loopback_host(host: str) -> bool:
    """Whether a host, with or without a port, is this machine by its name alone: nothing is resolved."""
    return bool(_LOOPBACK.fullmatch(host))


def masked(text: str) -> str:
    """A text with every URL in it as `without_credentials` shows it, but for the user of an SSH address.

    The time is linear in the length of the text, which others may have written: a pattern alone would look for the end of
    an address from each of its beginnings.
    """
    if "@" in text:
        text = _WORD.sub(_without_odd_login, _BARE_LOGIN.sub("", text))
    if "//" not in text and ":/" not in text:
        return text
    return _UNQUOTED.sub(_without_tail, _WORD.sub(_without_logins, text) if "@" in text else text)


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
    url = _WORD.sub(_without_odd_login, _BARE_LOGIN.sub("", url))
    before, at, after = url.rpartition("@")
    return _WHOLE_LOGIN.sub(r"\1", before + at) + after


def _without_logins(word: re.Match[str]) -> str:
    """A word of a text without users and passwords; after its last ``@`` there is none."""
    before, at, after = word[0].rpartition("@")
    return _LOGIN.sub(_without_user, before + at) + after if at else after


def _without_user(login: re.Match[str]) -> str:
    """What is before a login, and the user of an SSH address, which is not a secret: a command needs it."""
    scheme = login.string[max(login.start() - len(_SSH_SCHEME), 0) : login.start()]
    return login[0] if scheme.lower() == _SSH_SCHEME and _SSH_USER.fullmatch(login[0]) else login[1]


def _without_odd_login(word: re.Match[str]) -> str:
    before, at, after = word[0].rpartition("@")
    return _ODD_LOGIN.sub(r"\1", before + at) + after if at else after


def _without_tail(word: re.Match[str]) -> str:
    """A word of a text up to the query of the first address with one, or up to its fragment with values: both may hold
    tokens. Punctuation of the sentence around it stays.
    """
    text, position, end = word.string, word.start(), word.end()
    further = _WORD.match(text, end, end + _FURTHER)  # behind a quoted quote
    last_value = end if further and "=" in further[0] else text.rfind("=", position, end)
    while (host := _HOST.search(text, position, end)) and (tail := _TAIL.search(text, host.end(), end)):
        position = tail.end()
        if tail[0] == "?" or position <= last_value:
            cut = text[position:end]
            return text[word.start() : tail.start()] + cut[len(cut.rstrip(_PUNCTUATION)) :]
    return word[0]
