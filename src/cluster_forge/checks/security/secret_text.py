"""Secrets within texts: configuration files, scripts, arguments. The time is linear in the length of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from cluster_forge.checks.security import secret_commands, secret_logins, secret_names, secret_tokens, secret_values
from cluster_forge.checks.security.secret_names import Meaning

_TOO_SHORT: Final = re.compile(r"[\w./-]{0,19}")
"""Words that have no room for a token, and no mark between a name and a value."""
_WORDS: Final = ("pass", "pwd", "secret", "token", "credential", "key", "masterauth", "primaryauth", "rediscli_auth")
"""Parts of the names that are looked at; the rest of each is found around it, which is faster than from its begin."""
_LONGEST_BEGIN: Final = 60
_BEGIN: Final = re.compile(r"[\w.-]*\Z")
_END: Final = re.compile(r"[\w.-]{0,40}")
_VALUE: Final = r"""(?:"([^"\n]{1,300})"|'([^'\n]{1,300})'|([^\s"',;}\])&|<>]{1,300}))"""
_ASSIGNED: Final = re.compile(rf"""["']?[ \t]{{0,8}}[:=][ \t]{{0,8}}{_VALUE}""")
_OPTION_VALUE: Final = re.compile(rf"[ \t]{{1,8}}(?!-){_VALUE}")
"""In a script, after a name with hyphens before: ``--admin-password VALUE``."""
_CONTENT: Final = re.compile(r"(?:\s[^<>\n]{0,200})?>\s{0,20}([^<>\s]{1,300})\s{0,20}</")
"""In XML: ``<password>VALUE</password>``."""
_PROPERTY: Final = re.compile(r"<name>([^<>\s]{1,120})</name>\s{0,40}<value>([^<>\s]{1,300})</value>", re.IGNORECASE)
"""In XML: ``<name>db.password</name><value>VALUE</value>``."""
_PAIR: Final = re.compile(
    r"\bname[\"']?\s{0,4}[:=]\s{0,4}[\"']?([\w.-]{1,100})[\"']?\s{0,40},?\s{0,40}[\"']?\bvalue[\"']?\s{0,4}[:=][ \t]{0,4}"
    + _VALUE,
    re.IGNORECASE,
)
"""A variable of a container, or a property: ``name: DB_PASSWORD`` and ``value: VALUE``."""
_DIRECTIVE: Final = re.compile(
    r"^[ \t]*(requirepass|masterauth|primaryauth|auth_pass|rootpw|bindpw|sentinel[ \t]+auth-pass[ \t]+\S{1,100}"
    r"|user[ \t]+\S{1,100}[ \t]+(?:insecure-)?password|user[ \t]+\S{1,100}[ \t]+on(?=[ \t]+>))[ \t]+>?[\"']?([^\s\"']{1,200})",
    re.MULTILINE | re.IGNORECASE,
)
"""In the configuration of Redis, keepalived, OpenLDAP and HAProxy: a word, a space, the password."""
_DIRECTIVE_HINTS: Final = (
    "requirepass",
    "masterauth",
    "primaryauth",
    "auth_pass",
    "auth-pass",
    "rootpw",
    "bindpw",
    "user",
)
_SQL: Final = re.compile(
    r"\b(?:(?:CREATE|ALTER)\s{1,8}(?:USER|ROLE)|GRANT)\s[^;]{0,300}?\b(?:PASSWORD|IDENTIFIED\s{1,8}(?:WITH\s{1,8}\S{1,60}\s{1,8})?BY)\s{1,8}'([^'\n]{1,200})'",
    re.IGNORECASE,
)


def secrets_in(text: str) -> Iterator[str]:
    """What kinds of secrets a text holds, each once: ``a private key``, ``a GitHub token``, ``a password (db_password)``."""
    if not _TOO_SHORT.fullmatch(text):
        yield from dict.fromkeys(_all_in(text))


def _all_in(text: str) -> Iterator[str]:
    if secret_values.is_private_key(text):
        yield "a private key"
    yield from secret_logins.logins_in(text)
    yield from secret_tokens.tokens_in(text)
    yield from secret_commands.passwords_in(text)
    lowered = text.lower() if text.isascii() else _lowered(text)
    yield from _assigned(text, lowered)
    if "identified" in lowered or "password" in lowered:
        yield from ("a password (SQL)" for _ in _standing(_SQL, text))
    if any(hint in lowered for hint in _DIRECTIVE_HINTS):
        yield from _directed(text)


def _lowered(text: str) -> str:
    """The text in lower case, each letter in its place: some have two small ones."""
    lowered = text.lower()
    return (
        lowered if len(lowered) == len(text) else "".join(one if len(one.lower()) > 1 else one.lower() for one in text)
    )


def _assigned(text: str, lowered: str) -> Iterator[str]:
    """The values of names: where a name is followed by one, and where both are values of their own."""
    for start, end in _names(text, lowered):
        for match in _after(text, start, end):
            yield from _named(text, start, text[start:end], match)
    patterns = [*([_PROPERTY] if "</" in text else ()), *([_PAIR] if "value" in lowered else ())]
    for match in chain.from_iterable(pattern.finditer(text) for pattern in patterns):
        yield from _named(text, match.start(), match[1], match)


def _names(text: str, lowered: str) -> Iterator[tuple[int, int]]:
    """Where names begin and end whose value may be a secret."""
    end = 0
    for place, length in sorted(_places(lowered)):
        if place < end:
            continue
        begin = _BEGIN.search(text, max(0, place - _LONGEST_BEGIN - 1), place)
        rest = _END.match(text, place + length)
        assert begin is not None
        assert rest is not None
        start, end = begin.start(), rest.end()
        is_name = place - start <= _LONGEST_BEGIN and text[max(0, start - 1) : start] != "$"
        if is_name and secret_names.meaning(text[start:end]) in (Meaning.PASSWORD, Meaning.KEY):
            yield start, end


def _places(lowered: str) -> Iterator[tuple[int, int]]:
    """The places of `_WORDS` in a text, with their lengths."""
    for word in _WORDS:
        place = lowered.find(word)
        while place >= 0:
            yield place, len(word)
            place = lowered.find(word, place + len(word))


def _after(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """The values that follow a name."""
    if match := _ASSIGNED.match(text, end):
        yield match
    if text.startswith("-", start) and (match := _OPTION_VALUE.match(text, end)):
        value = match[match.lastindex or 0]
        if not secret_values.is_prose(value):
            yield match
    if text[max(0, start - 1) : start] in ("<", ":") and (match := _CONTENT.match(text, end)):
        yield match


def _named(text: str, place: int, name: str, match: re.Match[str]) -> Iterator[str]:
    value = match[match.lastindex or 0]
    is_operator = value.startswith(("=", "|", ">", "[", "(", "&"))
    kind = "" if is_operator else secret_values.of_name(secret_names.meaning(name), value)
    if kind and not secret_values.is_in_comment(text, place):
        yield f"{kind} ({name})"


def _directed(text: str) -> Iterator[str]:
    for match in _standing(_DIRECTIVE, text):
        words = match[1].split()
        if len(words) == 1 or not secret_values.is_prose(match[2]):
            yield f"a password ({words[0]})"


def _standing(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The matches outside of comments whose last group stands for itself."""
    for match in pattern.finditer(text):
        value = match.groups()[-1]
        if not secret_values.stands_for_value(value) and not secret_values.is_in_comment(text, match.start()):
            yield match
