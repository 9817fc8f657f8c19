"""The machine that Cluster-Forge runs on, as far as it can lack something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder, or the first one above it that is there: whether files can be written, and the free bytes of its disk."""

    path: str
    is_writable: bool
    free: int


class Machine(Protocol):
    """Looks at the machine; changes nothing."""

    def version(self, program: str, *arguments: str) -> str | None:
        """What a program on PATH says of its version: one line, empty if it says nothing; None if it is not there."""

    def has_module(self, name: str) -> bool:
        """Whether a Python module is installed."""

    def python(self) -> str:
        """The version of Python."""

    def folder(self, path: str) -> Folder:
        """A folder that need not be there yet."""
