"""A reader that is there when the first document is read: mostly everything is in the cache."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from cluster_forge.ports.rendering import YamlReader


class LazyYaml:
    """`ports.YamlReader`: the one that ``make`` gives."""

    def __init__(self, make: Callable[[], YamlReader]) -> None:
        self._make = make

    @cached_property
    def _reader(self) -> YamlReader:
        return self._make()

    def read(self, document: str) -> Any:
        return self._reader.read(document)
