"""What a name says of its value: a password, a key, or something that everyone may know.

A false alarm is worse than a miss here, since the finding is shown for charts that the user did not write. What decides whether
a description is kept in the cache (`stages.describe.secret_values`) must be the other way round.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final


class Meaning(Enum):
    """What kind of value a name is for."""

    PASSWORD = "password"  # noqa: S105 - a kind of name
    """Whatever its value is, it is a secret."""
    KEY = "key"
    """A value that looks drawn at random is a secret; another one may be the name of one."""
    PUBLIC = "public"
    UNKNOWN = "unknown"


_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONGEST: Final = 200
_PASSWORD: Final = frozenset(("password", "passwd", "passphrase", "passwort", "pwd"))
_KEY: Final = frozenset(
    ("token", "secret", "htpasswd", "apikey", "secretkey", "privatekey", "credential", "credentials")
)
_KEY_ENDS: Final = frozenset(
    f"{word}key"
    for word in (
        "access",
        "api",
        "auth",
        "csrf",
        "encryption",
        "hmac",
        "license",
        "master",
        "private",
        "secret",
        "session",
    )
) | {"signingkey", "clientsecret", "hashkey", "rootkey", "cryptkey"}
_PUBLIC: Final = frozenset(
    (
        *(
            "user",
            "username",
            "login",
            "email",
            "mail",
            "id",
            "name",
            "host",
            "hostname",
            "port",
            "url",
            "uri",
            "endpoint",
        ),
        *(
            "address",
            "domain",
            "server",
            "region",
            "zone",
            "bucket",
            "namespace",
            "type",
            "mode",
            "kind",
            "path",
            "file",
        ),
        *(
            "dir",
            "enabled",
            "version",
            "class",
            "ref",
            "policy",
            "expiry",
            "ttl",
            "timeout",
            "length",
            "crt",
            "cert",
            "pem",
        ),
        *("certificate", "ca", "issuer", "prefix", "scheme", "protocol", "driver", "audience", "tenant", "level"),
    )
)
_PASSWORD_ENDS: Final = ("password", "passwd", "passphrase", "passcode")
"""Ends of names that are written as one word: ``PGPASSWORD``, ``rootpassword``."""
_KEY_WORD_ENDS: Final = ("token", "secret", *sorted(_KEY_ENDS))
_KNOWN: Final = frozenset(
    ("rediscli_auth", "sshpass", "mysql_pwd", "dbpass", "requirepass", "masterauth", "primaryauth", "neo4j_auth")
)
"""Names of passwords that no rule covers, in lower case."""
_DIGEST: Final = frozenset(("checksum", "hash", "digest", "fingerprint", "sha", "md", "revision"))
"""Words of names whose value is made of a secret and gives none away, as in ``checksum/secret``."""
_ALLOWED_TO_BE_EMPTY: Final = frozenset(("allow", "require", "enable", "disable", "use", "has", "existing", "public"))
"""First words of names that say how a secret is used."""


@lru_cache(maxsize=10_000)
def meaning(name: str) -> Meaning:
    """What a name of a variable, an option, a key or a field says of its value."""
    words = [word.lower() for word in _WORDS.findall(name[-_LONGEST:])]
    if not words or words[0] in _ALLOWED_TO_BE_EMPTY:
        return Meaning.PUBLIC if words else Meaning.UNKNOWN
    last, ends = words[-1], "".join(words[-2:])
    if last in _PASSWORD or last == "pass" or last.endswith(_PASSWORD_ENDS) or name.lstrip("-").lower() in _KNOWN:
        return Meaning.PASSWORD
    if _DIGEST & {*words}:
        return Meaning.PUBLIC
    if last in _KEY or ends in _KEY_ENDS or last.endswith(_KEY_WORD_ENDS):
        return Meaning.KEY
    return Meaning.PUBLIC if last in _PUBLIC else Meaning.UNKNOWN
