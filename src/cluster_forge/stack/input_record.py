"""Which files a description was read from: what a cache needs to see that one of them has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ForgeError

DESCRIPTION: Final = "input/config.yaml"
"""The description's path in the workspace."""


class InputSource(Protocol):
    """Where a description is read from. Paths are relative to the workspace."""

    def read(self, path: str) -> bytes | None:
        """The file's content; None if there is no such file."""

    def list_files(self, path: str) -> Sequence[str] | None:
        """Every file below a folder (a file lists itself); None if the path does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRecord:
    """The digest of every file that was read and of every folder listing; None for what did not exist."""

    files: Mapping[str, Digest | None]
    folders: Mapping[str, Digest | None]

    def is_current(self, source: InputSource) -> bool:
        """Whether every file and every listing is still the same; not if one cannot be read, which reading it again reports."""
        try:
            return all(content_digest(source.read(path)) == digest for path, digest in self.files.items()) and all(
                listing_digest(source.list_files(path)) == digest for path, digest in self.folders.items()
            )
        except (ForgeError, ExceptionGroup):
            return False

    @property
    def digests(self) -> dict[str, Digest]:
        """The digests of the files that exist, in the order in which they were read."""
        return {path: digest for path, digest in self.files.items() if digest}


def content_digest(content: bytes | None) -> Digest | None:
    return None if content is None else Digest.of(content)


def listing_digest(paths: Sequence[str] | None) -> Digest | None:
    return None if paths is None else Digest.of("\n".join(paths).encode())
