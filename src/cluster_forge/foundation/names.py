"""DNS labels, component names, and suggestions for misspelled names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Self

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
"""A DNS label (RFC 1123)."""
SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
"""A DNS subdomain (RFC 1123), which Kubernetes requires of most names; unlike those of DNS, its labels may be longer than 63."""

_LABEL_NAME = re.compile(r"(?=.{1,63}\Z)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\Z")
_LABEL_VALUE = re.compile(r"(?=.{0,63}\Z)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?\Z")


def is_dns_label(text: str) -> bool:
    """Whether ``text`` is a DNS label (RFC 1123), which Kubernetes requires of namespaces."""
    return bool(LABEL.match(text))


def is_dns_subdomain(text: str) -> bool:
    """Whether ``text`` is a DNS subdomain (RFC 1123), which Kubernetes requires of most names."""
    return bool(SUBDOMAIN.match(text))


def is_dns_name(text: str) -> bool:
    """Whether ``text`` is a DNS name in lower case: labels joined by dots, the last one not a number (as in an address)."""
    labels = text.split(".")
    return len(text) <= 253 and all(map(is_dns_label, labels)) and not labels[-1].isdigit()


def is_label_key(text: str) -> bool:
    """Whether ``text`` can be the key of a label or an annotation of a Kubernetes object."""
    prefix, slash, name = text.rpartition("/")
    return bool(_LABEL_NAME.match(name)) and (not slash or bool(SUBDOMAIN.match(prefix.lower())))


def is_label_value(text: str) -> bool:
    """Whether ``text`` can be the value of a label of a Kubernetes object."""
    return bool(_LABEL_VALUE.match(text))


class ComponentName(str):
    """The name of a component: a DNS label, because it names folders, Applications and releases.

    Raises:
        ValueError: if ``text`` is not a DNS label.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not is_dns_label(text):
            raise ValueError(f"{text!r} is not a DNS label (lower-case letters, digits and hyphens, at most 63)")
        return super().__new__(cls, text)


def bounded(name: str, longest: int = 63) -> str:
    """``name`` in at most ``longest`` characters: a longer one is cut and ends with a digest of the whole, so that two
    names stay two.
    """
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    joint = "." if "." in name else "-"
    return f"{name[: longest - len(digest) - 1].rstrip('-.')}{joint}{digest}"


_LONGEST_WORD = 100
"""Characters; longer words get no suggestion, because comparing takes time."""

_MANY = 300
"""With more known words, only those with the same first letter and about the same length are compared."""


def _is_like(other: str, word: str) -> bool:
    return other[:1] == word[:1] and abs(len(other) - len(word)) <= 2


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most similar to ``word``, if one is similar enough."""
    import difflib  # noqa: PLC0415 - only errors need it

    if len(word) > _LONGEST_WORD:
        return None
    candidates = sorted(known)
    if len(candidates) > _MANY:
        candidates = [other for other in candidates if _is_like(other, word)][:_MANY]
    matches = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``", did you mean 'x'?"`` or nothing: the end of a message about an unknown word."""
    near = nearest(word, known)
    return f", did you mean {near!r}?" if near else ""


def listed(names: Sequence[str], most: int) -> str:
    """The first names, and how many others there are: ``a, b, c and 12 more``."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def counted(number: int, noun: str) -> str:
    """``1 object``, ``2 objects``, ``1,000 objects``; ``1 entry``, ``2 entries``, ``2 days``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{number:,} {noun}s"
