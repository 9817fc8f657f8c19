"""The files that a description is made of, through the two functions that its caller gives."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from typing import Final

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned
from cluster_forge.yaml.positioned_reader import PositionedDocument

Read = Callable[[str], bytes | None]
"""A file's bytes by its path in the workspace; None if there is no such file."""

ListFiles = Callable[[str], Sequence[str] | None]
"""Every file below a folder (a file gives itself); None if there is no such path."""

INPUT: Final = "input"
_YAML: Final = (".yaml", ".yml", ".json")
_ARCHIVE: Final = ".tgz"


def in_input(path: str) -> str:
    """The path in the workspace of what is named relative to ``input/``."""
    return posixpath.normpath(posixpath.join(INPUT, path))


def is_address(text: str) -> bool:
    """Whether a source is named by an address, not by a path."""
    return "://" in text


class Files:
    """Reads, and remembers what was read."""

    def __init__(self, read: Read, list_files: ListFiles | None) -> None:
        self._read = read
        self._list = list_files
        self._seen: dict[str, None] = {}

    @property
    def seen(self) -> tuple[str, ...]:
        """Every file that was read, in that order."""
        return tuple(self._seen)

    def text(self, path: str) -> bytes | None:
        content = self._read(path)
        if content is not None:
            self._seen[path] = None
        return content

    def located(self, path: str) -> PositionedDocument | None:
        """A YAML file with one document; None if there is no such file.

        Raises:
            DescriptionError, ExceptionGroup: if it is no well-formed YAML.
        """
        content = self.text(path)
        return None if content is None else positioned_reader.read(content, path)

    def listed(self, path: str) -> Sequence[str] | None:
        """Every file below a folder; None if there is no such path, or nobody can list."""
        return self._list(path) if self._list else None

    def manifests_fault(self, named: Positioned, component: str) -> DescriptionError | None:
        """What is wrong with a file or folder of manifests that is named relative to ``input/``."""
        path = in_input(str(named.content))
        found = self._found(path)
        if found is None:
            return _missing(named, component, f"there is no file or folder {path}")
        if not any(file.endswith(_YAML) for file in found):
            return _missing(
                named,
                component,
                f"{path} holds no YAML file",
                fix="put manifests (*.yaml) into it, or name another path",
            )
        return None

    def chart_fault(self, named: Positioned, component: str) -> DescriptionError | None:
        """What is wrong with a chart that is named relative to ``input/``."""
        path = in_input(str(named.content))
        found = self._found(path)
        if found is None:
            return _missing(
                named,
                component,
                f"there is no chart {path}",
                fix="name a folder or a .tgz relative to input/, or give `helm.repository`",
            )
        if not path.endswith(_ARCHIVE) and not any(posixpath.basename(file) == "Chart.yaml" for file in found):
            return _missing(
                named, component, f"{path} is no chart: it holds no Chart.yaml", fix="name the chart's own folder"
            )
        return None

    def _found(self, path: str) -> Sequence[str] | None:
        """The files at ``path``; where nobody can list, everything is taken to be there."""
        return self._list(path) if self._list else ("Chart.yaml",)


def _missing(
    named: Positioned, component: str, message: str, *, fix: str = "make it, or name another path (relative to input/)"
) -> DescriptionError:
    return DescriptionError(
        f"{component}: {message}", where=named.where, fix=f"{fix}; or leave the component out (--skip {component})"
    )
