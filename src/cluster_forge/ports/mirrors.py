"""A mirror that is written and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack.lock import LockedSource


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorCheck:
    """How many files a mirror lists, and everything that is wrong with it."""

    files: int
    problems: tuple[ForgeError, ...] = ()


class MirrorWriter(Protocol):
    """A mirror that is written: a directory, or under a tag of a registry."""

    def write(
        self, sources: Sequence[LockedSource], content: Callable[[LockedSource], bytes]
    ) -> Sequence[LockedSource]:
        """Add the sources; those whose file was written. What the mirror has already stays, and is not asked for.

        Raises:
            WorkspaceError: if it cannot be written, or files of others are in the way.
            FetchError, RegistryError: if a registry cannot be reached or refuses, or the tag names something else.
        """

    def check(self, wanted: Sequence[LockedSource]) -> MirrorCheck:
        """Compare every file with the digest in the index, and the index with the sources ``wanted``.

        Raises:
            FetchError, ExceptionGroup: if the index cannot be read.
        """
