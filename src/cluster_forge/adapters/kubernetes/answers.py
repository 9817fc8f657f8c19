"""Requests to an API server, and its answers, as values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final
from urllib.parse import quote, urlencode

from urllib3 import BaseHTTPResponse

_WARNING: Final = re.compile(r'\s*\d{3}\s+\S+\s+"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_MOST_WARNINGS: Final = 20
_LONGEST_WARNING: Final = 1_000
JSON: Final = "application/json"
METADATA: Final = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""Objects without spec and status (Kubernetes, "API Concepts", "Metadata-only fetches")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``where`` is what it is about, for errors. ``known`` is the ETag of an answer that is there already, ``largest`` are the
    bytes that an answer may have (a page of 500 large CRDs has 100 MB).

    ``repeats``: it may be sent again if it is not known whether it was executed; ``waits``: it is sent again at all, for at
    most ``within`` seconds.
    """

    method: str
    path: str
    where: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = JSON
    accept: str = JSON
    known: str = ""
    largest: int = 256 << 20
    repeats: bool = True
    waits: bool = True
    within: float = inf

    @property
    def target(self) -> str:
        query = urlencode({key: value for key, value in self.query.items() if value}, quote_via=quote)
        return f"{self.path}?{query}" if query else self.path

    @property
    def headers(self) -> dict[str, str]:
        sent = {"Accept": self.accept, "Accept-Encoding": "identity", "User-Agent": "cluster-forge"}
        sent |= {"Content-Type": self.content_type} if self.body is not None else {}
        return sent | ({"If-None-Match": self.known} if self.known else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, headers by their lower-case names, and the whole body, or a ``stream`` of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    stream: BaseHTTPResponse | None = None

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    @property
    def warnings(self) -> tuple[str, ...]:
        """The texts of ``Warning: 299 - "…"`` (RFC 7234, 5.5)."""
        return tuple(_warnings(self.header("Warning")))


def _warnings(header: str) -> Iterator[str]:
    position = 0
    for _ in range(_MOST_WARNINGS):
        warning = _WARNING.match(header, position)
        if not warning:
            return
        yield re.sub(r"\\(.)", r"\1", warning[1])[:_LONGEST_WARNING]
        position = warning.end()
