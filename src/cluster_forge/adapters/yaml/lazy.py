"""A reader that is created when the first document is read: 0.03 s of imports, and in most runs the cache has everything."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from cluster_forge.ports.rendering import YamlDocument, YamlReader


class LazyYaml:
    """`ports.YamlReader` that ``create`` returns."""

    def __init__(self, create: Callable[[], YamlReader]) -> None:
        self._create = create

    @cached_property
    def _reader(self) -> YamlReader:
        return self._create()

    def read(self, document: str) -> Any:
        return self._reader.read(document)

    def examine(self, document: str) -> YamlDocument:
        return self._reader.examine(document)
