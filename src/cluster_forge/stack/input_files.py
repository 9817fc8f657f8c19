"""The files that a description consists of, read through two functions of the caller."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import expected, leaves
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack.input_record import InputRecord, content_digest, listing_digest
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned
from cluster_forge.yaml.positioned_reader import PositionedDocument

Read = Callable[[str], bytes | None]
"""`InputSource.read`: a file's content by its path in the workspace; None if there is no such file."""

ListFiles = Callable[[str], Sequence[str] | None]
"""`InputSource.list_files`: every file below a folder; None if the path does not exist."""

INPUT: Final = "input"
_YAML: Final = (".yaml", ".yml", ".json")
_ARCHIVE: Final = ".tgz"


def in_input(path: str) -> str:
    """A path relative to ``input/`` as a path in the workspace."""
    return posixpath.normpath(posixpath.join(INPUT, path))


def is_outside(path: str) -> bool:
    """Whether a normalized path leaves the workspace."""
    return path == ".." or path.startswith(("../", "/"))


def outside_error(named: Positioned, subject: str = "") -> DescriptionError:
    """The error for a path that `is_outside`; ``subject`` begins the message."""
    return DescriptionError(
        f"{subject}{named.content} is outside of the workspace",
        where=named.where,
        fix="move it into the workspace, and write its path in there",
    )


def path_error(named: Positioned, subject: str) -> DescriptionError | None:
    """Why a path that is relative to ``input/`` cannot be used: it is absolute, or outside; None if it can."""
    path = str(named.content)
    if path.startswith("/"):
        return DescriptionError(
            f"{subject}: {path} is an absolute path",
            where=named.where,
            fix=f"write `{path.lstrip('/')}`, relative to input/",
        )
    return outside_error(named, f"{subject}: ") if is_outside(in_input(path)) else None


def is_url(text: str) -> bool:
    """Whether a source is a URL, not a path."""
    return "://" in text


class InputFiles:
    """Reads files and records each of them. Without ``list_files``, every named path is taken to exist."""

    def __init__(self, read: Read, list_files: ListFiles | None = None) -> None:
        self._read = read
        self._list = list_files
        self._files: dict[str, Digest | None] = {}
        self._folders: dict[str, Digest | None] = {}

    @property
    def can_list(self) -> bool:
        """Whether it is known which files there are."""
        return self._list is not None

    @property
    def record(self) -> InputRecord:
        """Everything that was looked at so far."""
        return InputRecord(files=dict(self._files), folders=dict(self._folders))

    def text(self, path: str) -> bytes | None:
        """A file's content; None if there is no such file."""
        content = self._read(path)
        self._files[path] = content_digest(content)
        return content

    def document(self, path: str) -> PositionedDocument | None:
        """A YAML file with one document; None if there is no such file.

        Raises:
            DescriptionError, ExceptionGroup: if it is not well-formed YAML.
        """
        content = self.text(path)
        return None if content is None else positioned_reader.read(content, path)

    def documents(
        self, path: str, errors: list[ForgeError], named: Positioned | None = None
    ) -> list[Positioned] | None:
        """The documents of a YAML file that ``named`` refers to; None, and an error, if it cannot be read."""
        try:
            content = self.text(path)
            is_folder = content is None and self._list is not None and self._list(path) is not None
        except (
            ForgeError,
            ExceptionGroup,
        ) as error:  # links out of the workspace, pipes: the description names the place
            where = named.where if named else path
            errors.extend(DescriptionError(leaf.message, where=where, fix=leaf.fix) for leaf in expected(error))
            return None
        if content is None:
            fix = "correct the path, or create the file" if named else "create it: `cluster-forge init` writes one"
            problem = f"{path} is a directory, not a file" if is_folder else f"file {path} does not exist"
            fix = "name the files in it, each with an entry of its own" if is_folder and named else fix
            errors.append(DescriptionError(problem, where=named.where if named else None, fix=fix))
            return None
        try:
            return [document.root for document in positioned_reader.read_all(content, path)]
        except (DescriptionError, ExceptionGroup) as error:
            errors.extend(leaf for leaf in leaves(error) if isinstance(leaf, ForgeError))
            return None

    def listed(self, path: str) -> Sequence[str] | None:
        """Every file below a folder; None if the path does not exist, or without ``list_files``."""
        if self._list is None:
            return None
        paths = self._list(path)
        self._folders[path] = listing_digest(paths)
        return paths

    def manifests_errors(self, named: Positioned, component: str) -> Sequence[ForgeError]:
        """Why a file or folder of manifests, named relative to ``input/``, cannot be used; none if it can."""
        path = in_input(str(named.content))
        try:
            paths = self._existing(path)
        except (ForgeError, ExceptionGroup) as error:  # links out of the workspace, pipes
            return expected(error)
        if paths is None:
            return [_source_error(named, component, f"{path} does not exist", fix="create it")]
        if list(paths) == [path] and not path.endswith(_YAML):
            return [
                _source_error(named, component, f"{path} is not a YAML or JSON file", fix=_file_fix(str(named.content)))
            ]
        if not any(file.endswith(_YAML) for file in paths):
            return [
                _source_error(named, component, f"{path} contains no YAML files", fix="put manifests (*.yaml) into it")
            ]
        return ()

    def chart_error(self, named: Positioned, component: str) -> DescriptionError | None:
        """Why a chart, named relative to ``input/``, cannot be used; None if it can."""
        path = in_input(str(named.content))
        paths = self._existing(path)
        if paths is None:
            return _source_error(
                named,
                component,
                f"chart {path} does not exist",
                fix=_repository_fix(str(named.content)),
            )
        if not path.endswith(_ARCHIVE) and not any(posixpath.basename(file) == "Chart.yaml" for file in paths):
            return _source_error(
                named,
                component,
                f"{path} is not a chart: it contains no Chart.yaml",
                fix="name the folder that contains Chart.yaml",
            )
        return None

    def _existing(self, path: str) -> Sequence[str] | None:
        return self.listed(path) if self._list else ("Chart.yaml",)


def _file_fix(path: str) -> str:
    if path.endswith((_ARCHIVE, ".tar.gz")):
        return f"write `helm: {{chart: {path}}}` if it is a chart"
    return "remove the entry if it is a note or a README; any other file goes into `configMaps: [{name: NAME, files: [FILE]}]`"


def _repository_fix(chart: str) -> str:
    """``bitnami/nginx`` is how ``helm install`` names a chart of a repository that ``helm repo add`` called so."""
    alias, slash, name = chart.partition("/")
    if slash and "/" not in name and not alias.startswith("."):
        return f"if {alias} is a repository of `helm repo add`, write `repository: ADDRESS` (`helm repo list` shows it) and `chart: {name}`"
    return "set `helm.repository` if it is in a repository"


def _source_error(named: Positioned, component: str, message: str, *, fix: str) -> DescriptionError:
    return DescriptionError(
        f"{component}: {message}",
        where=named.where,
        fix=f"{fix}, correct the path (relative to input/), or leave the component out: --skip {component}",
    )
