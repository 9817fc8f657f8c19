"""What a request for a changed file brought."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file, and the ``ETag`` that stands for it; ``content`` is None if it is the one that was known."""

    content: bytes | None
    tag: str = ""
