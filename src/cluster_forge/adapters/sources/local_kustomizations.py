"""Kustomizations in ``input/``: their files, packed as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from cluster_forge.foundation import tree_archives
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.stack.component import KustomizeSource

_LARGEST: Final = 100 << 20
_INPUT: Final = "input/"


class KustomizationFiles(Protocol):
    """Where they are read from; see `ports.Workspace`."""

    def read(self, path: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalKustomizations:
    """Local kustomizations as archives."""

    files: KustomizationFiles

    def archive(self, source: KustomizeSource) -> bytes:
        """The files of a kustomization, by their paths below ``input/``.

        Raises:
            DescriptionError: if one does not exist, or all are too large.
        """
        contents: dict[str, bytes] = {}
        size = 0
        for path in source.files:
            content = self.files.read(path)
            if content is None:
                raise DescriptionError(
                    f"{path} does not exist",
                    where=f"{_INPUT}{source.path}",
                    fix="create it, or remove what refers to it",
                )
            contents[path.removeprefix(_INPUT)] = content
            size += len(content)
            if size > _LARGEST:
                raise DescriptionError(
                    f"the files of the kustomization are larger than {_LARGEST >> 20} MiB",
                    where=f"{_INPUT}{source.path}",
                    fix="make several components of it",
                )
        return tree_archives.packed(FileTree(contents))
