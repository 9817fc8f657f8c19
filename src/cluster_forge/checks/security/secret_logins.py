"""Logins within texts: a user and a password in an address, in a header of HTTP, or as tools keep them in files.

The time is linear in the length of the text, since every repetition is bounded.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.security import secret_values

_MAY_STAND: Final = r"[^\s/?#@\"'<>]{1,200}"
_ADDRESS: Final = re.compile(rf"://[^\s:/?#@\"'<>]{{0,100}}:({_MAY_STAND})@")
_DRIVER: Final = re.compile(
    r"(?<![\w:/@.-])[\w.-]{1,64}:([^\s:@/\"'<>]{1,200})@(?:tcp|udp|unix)\(|jdbc:oracle:\w{1,20}:[\w.-]{1,64}/([^\s/@\"'<>]{1,200})@"
)
"""A login as drivers read it: ``user:password@tcp(host:3306)``, ``jdbc:oracle:thin:user/password@host``."""
_BARE: Final = re.compile(
    r"(?<![\w:/@.+%-])([A-Za-z_][\w.-]{1,63}):([^\s:@/\"'<>,;|&(){}]{4,200})@"
    r"((?:[A-Za-z][\w-]{0,62}\.){0,8}[A-Za-z][\w-]{0,62})(:\d{2,5})?(?![\w:.@-])"
)
"""A login without a scheme: ``user:password@host:9200``."""
_NO_USERS: Final = frozenset(
    (
        *("mailto", "mail", "email", "to", "cc", "bcc", "from", "reply-to", "sender", "recipient", "contact", "author"),
        *("maintainer", "owner", "sip", "sips", "xmpp", "acct", "user", "users", "group", "groups", "member", "domain"),
        *("serviceaccount", "principal", "subject", "npm", "git", "image", "tag", "key", "name", "id", "http", "https"),
    )
)
"""Words before the colon of what is an address of mail or a version: ``user:ops@example.com``."""
_ENCODED: Final = re.compile(
    r"(?:\bbasic[ \t]{1,8}|(?<![a-z])_?auth[\"']?[ \t]{0,8}[:=][ \t]{0,8}[\"']?)([a-z0-9+/]{8,400}={0,2})",
    re.I,
)
"""A login in base64: ``Authorization: Basic …``, ``"auth": "…"`` of a container registry, ``_auth=…`` of npm."""
_BEARER: Final = re.compile(
    r"(?:\bbearer|\bapikey|\bauthorization[\"':=, ]{1,6}token)[ \t]{1,8}([\w.~+/-]{16,2000}=*)", re.I
)
_FILES: Final = re.compile(
    r"\bmachine\s{1,20}\S{1,200}\s{1,20}login\s{1,20}\S{1,100}\s{1,20}password\s{1,20}(\S{1,200})"
    r"|^[\w.*-]{1,200}:(?:\d{1,5}|\*):[\w.*-]{1,64}:[\w.*-]{1,64}:([^\s:]{1,200})[ \t]*$",
    re.M,
)
"""The lines of ``.netrc``, and of ``.pgpass``."""
_ENCODED_KEY: Final = re.compile(r"LS0tLS1CRUdJT[A-Za-z0-9+/]{40}")
"""PEM in base64 begins like this."""


def logins_in(text: str) -> Iterator[str]:
    """What kinds of logins a text holds; comments and what stands for a value do not count."""
    if "@" in text and _has_address(text):
        yield "an address with a password"
    lowered = text.lower()
    if ("basic" in lowered or "auth" in lowered) and any(map(is_login, _values(_ENCODED, text))):
        yield "a login in base64"
    if ("bearer" in lowered or "auth" in lowered or "apikey" in lowered) and any(
        map(secret_values.looks_random, _values(_BEARER, text))
    ):
        yield "a token in a header"
    if ("machine" in lowered or "pgpass" in lowered) and any(_values(_FILES, text)):
        yield "a password (.netrc or .pgpass)"
    if any(map(_is_private_key, _ENCODED_KEY.findall(text))):
        yield "a private key in base64"


def is_login(encoded: str) -> bool:
    """Whether a text in base64 is a user with a password."""
    try:
        plain = base64.b64decode(encoded, validate=True).decode("ascii")
    except ValueError:
        return False
    user, _, password = plain.partition(":")
    return plain.isprintable() and bool(user) and not secret_values.stands_for_value(password)


def _has_address(text: str) -> bool:
    return any(_values(_ADDRESS, text)) or any(_values(_DRIVER, text)) or any(map(_is_bare_login, _BARE.finditer(text)))


def _is_bare_login(match: re.Match[str]) -> bool:
    """Whether this is a login: with a port it is, otherwise only where the password is not a plain word."""
    user, password, host, port = match.groups()
    if user.lower() in _NO_USERS or secret_values.stands_for_value(password):
        return False
    is_address = bool(port) or (("." in host or host == "localhost") and not re.fullmatch(r"[A-Za-z._-]+", password))
    return is_address and not secret_values.is_in_comment(match.string, match.start())


def _values(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """The values that a pattern finds outside of comments and that stand for themselves."""
    for match in pattern.finditer(text):
        value = next(filter(None, match.groups()))
        if not secret_values.stands_for_value(value) and not secret_values.is_in_comment(text, match.start()):
            yield value


def _is_private_key(encoded: str) -> bool:
    return secret_values.is_private_key_begin(base64.b64decode(encoded[: len(encoded) // 4 * 4]).decode("latin-1"))
