"""Indexes that are kept between runs, and fetched again only when they have changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cluster_forge.adapters.http.fetched import Fetched
from cluster_forge.foundation import build
from cluster_forge.ports.storage import Cache

_KIND = "index"


class ChangedDownloads(Protocol):
    def get_changed(self, url: str, *, limit_bytes: int, tag: str) -> Fetched:
        """The content of the URL, unless it is what ``tag`` stands for.

        Raises:
            FetchError
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptIndexes:
    """`Downloads` that keeps what has an ``ETag``, and asks the server whether that is current (RFC 9110, 13.1.2)."""

    downloads: ChangedDownloads
    cache: Cache

    def get(self, url: str, *, limit_bytes: int) -> bytes:
        key = build.key(_KIND, url.encode())
        tag, _, known = (self.cache.get(_KIND, key) or b"").partition(b"\n")
        fetched = self.downloads.get_changed(url, limit_bytes=limit_bytes, tag=tag.decode())
        if fetched.content is None:
            return known
        if fetched.tag:
            self.cache.put(_KIND, key, f"{fetched.tag}\n".encode() + fetched.content)
        return fetched.content
