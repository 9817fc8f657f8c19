"""From the description's `values`, `valuesFiles` and `sizes` to the values of a component, in layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack.input_files import InputFiles, in_input, path_error
from cluster_forge.stack.model import Size
from cluster_forge.stack.subject_errors import SubjectErrors
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True, slots=True)
class ValueReader:
    """Reads the values of one component; what is wrong goes into its errors. ``_expanded`` replaces a file's variables."""

    _size: Size
    _files: InputFiles
    _problems: SubjectErrors
    _expanded: Callable[[Positioned], Positioned]

    def layers(self, layers: Iterable[Positioned]) -> Iterator[Positioned]:
        """The values of layers of a component, lowest first."""
        for layer in layers:
            for named in layer.strings("valuesFiles"):
                if file := self._file(named):
                    yield file
            sizes = layer.get("sizes")
            for member in (sizes.get(self._size) if sizes else None, layer.get("values")):
                if member:
                    yield member

    def _file(self, named: Positioned) -> Positioned | None:
        error = path_error(named, self._problems.subject)
        if error:
            self._problems.add(error)
            return None
        path = in_input(str(named.content))
        try:
            document = self._files.document(path)
        except DescriptionError as error:
            self._problems.add(error)
            return None
        except ExceptionGroup as group:
            self._problems.errors.extend(error for error in leaves(group) if isinstance(error, ForgeError))
            return None
        if document is None:
            fix = "create it, or correct the path (relative to input/)"
            self._problems.wrong(named, f"values file {path} does not exist", fix=fix)
            return None
        if document.value is not None and not isinstance(document.value, dict):
            self._problems.add(
                DescriptionError(
                    "Helm values must be a mapping", where=document.where(), fix="write `key: value` lines"
                )
            )
            return None
        return self._expanded(document.root)
