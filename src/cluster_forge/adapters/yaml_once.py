"""A reader that reads every distinct document once: charts are rendered again when an API is announced to them."""

from __future__ import annotations

import hashlib
from typing import Any

from cluster_forge.ports import YamlReader


class ReadOnce:
    """`ports.YamlReader` that remembers what ``reader`` made of a document, by its digest.

    Values are handed out more than once, which is fine as long as nobody changes them.
    """

    def __init__(self, reader: YamlReader) -> None:
        self._reader = reader
        self._read: dict[bytes, Any] = {}

    def read(self, document: str) -> Any:
        digest = hashlib.sha256(document.encode("utf-8", "surrogatepass")).digest()
        if digest not in self._read:
            self._read[digest] = self._reader.read(document)
        return self._read[digest]
