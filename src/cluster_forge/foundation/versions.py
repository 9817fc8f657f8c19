"""Semantic versions as Helm parses them: a leading ``v`` and missing parts are allowed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

_VERSION = re.compile(
    r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\Z"
)

_IN_TAG = re.compile(r"(?<![0-9.])[0-9]+\.[0-9]")
"""Where a version may begin in a tag: at two numbers, as ``v1`` is often moved from version to version."""

_NUMBER = "(?:0|[1-9][0-9]*)"
_STRICT = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
    rf"(?:\.(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\Z"
)
_LONGEST = 256
"""Characters, as in npm's ``semver``; Python converts at most 4,300 digits to a number."""

Identifier = tuple[int, int, str]


@dataclass(frozen=True, slots=True, order=True)
class SemanticVersion:
    """A version in the order of SemVer 2.0.0, section 11; build metadata is ignored.

    ``release`` is False for a pre-release, which sorts before its release; numbers in it sort before words.
    """

    major: int
    minor: int
    patch: int
    release: bool
    identifiers: tuple[Identifier, ...]

    @classmethod
    def parse(cls, text: str) -> SemanticVersion | None:
        """The version, or None if ``text`` is not one."""
        match = _VERSION.match(text) if len(text) <= _LONGEST else None
        if not match:
            return None
        major, minor, patch = (int(part or 0) for part in match.group(1, 2, 3))
        tail = match[4]
        return cls(major, minor, patch, tail is None, tuple(map(_identifier, tail.split("."))) if tail else ())


def _identifier(text: str) -> Identifier:
    return (0, int(text), "") if text.isdigit() else (1, 0, text)


def is_strict(text: str) -> bool:
    """Whether ``text`` is a version as SemVer 2.0.0 writes it: three numbers, no ``v`` (Helm: ``StrictNewVersion``)."""
    return len(text) <= _LONGEST and bool(_STRICT.match(text))


def newest_first(texts: Iterable[str]) -> list[str]:
    """The texts that are versions, newest first."""
    versions = [(version, text) for text in texts if (version := SemanticVersion.parse(text))]
    return [text for _, text in sorted(versions, key=lambda pair: pair[0], reverse=True)]


def tagged(tag: str) -> tuple[str, str] | None:
    """The prefix and the version of a tag that ends with a version: ``chart-v``, ``1.2.3``. None for any other tag."""
    parts = ((tag[: match.start()], tag[match.start() :]) for match in _IN_TAG.finditer(tag))
    return next((part for part in parts if SemanticVersion.parse(part[1])), None)


def spelled(wanted: str, versions: Collection[str]) -> str | None:
    """The one of ``versions`` that is ``wanted``, with or without ``v``."""
    bare = wanted.removeprefix("v")
    return next((text for text in (wanted, bare, f"v{bare}") if text in versions), None)
