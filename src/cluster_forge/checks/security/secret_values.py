"""Whether a value is a secret in plain text, and of which kind; what is said of it holds no part of the value."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

from cluster_forge.checks.security.secret_names import Meaning

_REFERENCE: Final = re.compile(
    r"[$%<{*!@]|_\w*_\Z|/[\w.-]+/"
    r"|(?:env|file|vault|ref|exec|secret|sys|os|op|arn|ssm|awssm|gcpsm|akv|bao|k8s|kubernetes|ref\+\w+)[:.(]|ENC[\[(]"
)
"""What begins like this stands for a value that is elsewhere, or is encrypted: ``$(PASSWORD)``, ``{{ .password }}``, ``<password>``, ``__PASSWORD__``, a path."""
_TEMPLATE: Final = re.compile(r"\$\{|\$\(|\{\{|\{%|<%|%\{|%\(")
"""A part of a value that a program fills in."""
_PLACEHOLDER: Final = re.compile(
    r"your.*|(?:insert|enter|replace|put|fill|provide)[-_ ].*|.*[-_ ]here|todo\b.*|fixme\b.*|tbd|dummy|unused",
    re.I,
)
"""What people write where a value is still to be given."""
_NO_VALUE: Final = frozenset(
    (
        *(
            "true",
            "false",
            "yes",
            "no",
            "on",
            "off",
            "none",
            "null",
            "nil",
            "~",
            "default",
            "disabled",
            "enabled",
            "auto",
        ),
        *(
            "string",
            "boolean",
            "integer",
            "number",
            "object",
            "required",
            "optional",
            "redacted",
            "undefined",
            "random",
            "placeholder",
        ),
    )
)
_DEFAULTS: Final = frozenset(
    (
        *("admin", "admin123", "administrator", "changeit", "changeme", "change-me", "change_me", "default", "grafana"),
        *("guest", "harbor12345", "keycloak", "minio", "minio123", "minioadmin", "minio-secret", "mysecretpassword"),
        *("not-a-secure-key", "pass", "passw0rd", "password", "password1", "password123", "postgres", "prom-operator"),
        *(
            "qwerty",
            "rabbitmq",
            "redis",
            "root",
            "secret",
            "secretpassword",
            "supersecret",
            "test",
            "toor",
            "wordpress",
        ),
        *(
            "12345",
            "123456",
            "12345678",
            "123456789",
            "1234567890",
            "airflow",
            "elastic",
            "example",
            "letmein",
            "vagrant",
        ),
        *("console123", "registry_password", "harbor_registry_password", "complexpass#123", "rootpassword", "rootpass"),
    )
)
"""Passwords that charts and images are known for, in lower case."""
_PLACE: Final = re.compile(
    r"[a-z0-9+.-]+://\S*|[\w.-]+(?:\.[a-z]{2,})+(?::\d+)?(?:/\S*)?|/\S*|[\w.-]+:\d+|\S+@[\w.-]+", re.I
)
_NUMBER: Final = re.compile(r"[+-]?[\d.,_:%]+(?:[smhdwkKMGTP]i?|ms)?")
_WORDS: Final = re.compile(r"[A-Za-z]+(?:[-_. /][A-Za-z0-9]+)*")
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_SHOWN_NAME: Final = re.compile(r"[A-Z_]*(?:PASSWORD|PASSWD|PASS|TOKEN|SECRET|KEY)")
"""As usage texts name a value: ``--password PASSWORD``."""
_PROSE: Final = re.compile(r"[A-Za-z]?[a-z]*[.,:;!?)]*")
_COMMENT: Final = re.compile(r"[ \t]*(?:#|//(?!\S*:\Z)|;|--|\*(?![/*0-9]|[ \t]+[\d*]))")
"""How a line of a comment begins: not as ``.npmrc`` names a registry, nor as ``cron`` says when."""
_LONGEST_LINE: Final = 2_000
"""Characters before a place in which its line begins; a longer line is none of a comment."""
_SHORTEST_KEY: Final = 12
_LEAST_ENTROPY: Final = 3.0
"""Bits for each character; text in English has about 4 over all its letters, but words are excluded before."""


def is_private_key(text: str) -> bool:
    """Whether a text holds a private key in PEM."""
    return "PRIVATE KEY" in text and bool(_PRIVATE_KEY.search(text))


def is_private_key_begin(text: str) -> bool:
    """Whether a text begins as a private key in PEM does."""
    return bool(_PRIVATE_KEY.match(text))


def stands_for_value(text: str) -> bool:
    """Whether a text says where the value is, or that there is none."""
    plain = text.strip().strip("\"'\\")
    if not plain.strip("*x.-X") or plain.lower() in _NO_VALUE:
        return True
    return any(pattern.match(plain) for pattern in (_REFERENCE, _PLACEHOLDER)) or bool(
        _SHOWN_NAME.fullmatch(plain) or _TEMPLATE.search(plain)
    )


def is_prose(text: str) -> bool:
    """Whether a text may be a word of a sentence, as in ``--password is``; a password that everyone knows is none."""
    return bool(_PROSE.fullmatch(text)) and not is_default(text)


def is_in_comment(text: str, place: int) -> bool:
    """Whether the line of a place in a text is a comment."""
    begin = max(0, place - _LONGEST_LINE)
    line = text.rfind("\n", begin, place) + 1
    return bool(line or not begin) and bool(_COMMENT.match(text, line, place))


def is_default(text: str) -> bool:
    """Whether a text is a password that charts and images are known for."""
    return text.strip().lower() in _DEFAULTS


def of_name(meaning: Meaning, text: str) -> str:
    """What a value is whose name has a meaning: ``a password``; empty if it is none."""
    if meaning in (Meaning.PUBLIC, Meaning.UNKNOWN) or stands_for_value(text):
        return ""
    if is_default(text):
        return "a password that everyone knows"
    if meaning is Meaning.PASSWORD:
        return "a password" if not _NUMBER.fullmatch(text) or text.isdigit() else ""
    return "a key or token" if looks_random(text) else ""


def is_place_or_number(text: str) -> bool:
    """Whether a text is an address, a path or a number, which people do not keep secret."""
    return bool(_NUMBER.fullmatch(text) or _PLACE.fullmatch(text))


def looks_random(text: str) -> bool:
    """Whether a text is one word that was drawn at random: long, of letters and digits, and no name, address or number."""
    if len(text) < _SHORTEST_KEY or any(character.isspace() for character in text):
        return False
    if is_place_or_number(text) or (_WORDS.fullmatch(text) and not _is_mixed(text)):
        return False
    return _entropy(text) >= _LEAST_ENTROPY


def _is_mixed(text: str) -> bool:
    """Whether capitals, small letters and digits are mixed within one word, as in no word of a language."""
    return bool(re.search(r"[a-z][A-Z][a-z]?[A-Z0-9]|[0-9][a-zA-Z]+[0-9][a-zA-Z]|[a-z][0-9][A-Z]", text))


def _entropy(text: str) -> float:
    """Shannon's entropy, in bits for each character."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
