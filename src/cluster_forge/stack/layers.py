"""A native description's files as layers: what each file extends, each file, and its environment over it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError, UnknownNameError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack import merge
from cluster_forge.stack.input_files import InputFiles, is_outside, outside_error
from cluster_forge.yaml.positioned import Positioned

MOST_FILES: Final = 200
"""Extended files, each counted as often as it is named."""

DEEPEST: Final = 30
"""Files that extend each other in a row."""

_CONVERT: Final = "convert it to the native format: `cluster-forge convert`"

FileCheck = Callable[[Positioned], Iterable[ForgeError]]
"""The errors of one file's mapping."""


class LayerReader:
    """Reads a description and the files that it extends. Errors go into ``errors``, and reading goes on."""

    def __init__(
        self, files: InputFiles, environment: str | None, errors: list[ForgeError], check: FileCheck = lambda _: ()
    ) -> None:
        self._files = files
        self._environment = environment
        self._errors = errors
        self._check = check
        self._environments: dict[str, None] = {}
        self._count = 0
        self._is_over_limit = False
        self.is_incomplete = False
        """Whether a file is missing or unreadable, so that some names are not known."""

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments that the files define."""
        return tuple(self._environments)

    def layers(self, path: str, documents: list[Positioned]) -> list[Positioned]:
        """The mappings of the file at ``path`` (of which these are the documents), of what it extends, and of the
        environment of each, lowest first.
        """
        return self._layers(path, documents, ())

    def check_environment(self, path: str) -> None:
        """Add an error if the environment is not defined; ``path`` is the description."""
        if self._environment is None or self._environment in self._environments:
            return
        near = did_you_mean(self._environment, self._environments)
        defined = ", ".join(self._environments)
        self._errors.append(
            UnknownNameError(
                f"unknown environment {self._environment!r}{near}",
                where=path,
                fix=f"defined environments: {defined}" if defined else "the description defines no environments",
            )
        )

    def _layers(self, path: str, documents: list[Positioned], above: tuple[str, ...]) -> list[Positioned]:
        document = self._single(documents, is_base=bool(above))
        if document is None:
            self.is_incomplete = True
            return []
        self._errors.extend(self._check(document))
        section = document.get("environments")
        environments = section.mapping if section else {}
        self._environments.update(dict.fromkeys(environments))
        overlay = environments.get(self._environment or "")
        own = [document, overlay] if overlay is not None and isinstance(overlay.content, Mapping) else [document]
        whole = merge.positioned(*own)
        if not _is_list_of_texts(whole.get("extends")):
            self.is_incomplete = True  # the check has an error about it; what it would define is unknown
        inside = (*above, path)
        layers = [layer for named in whole.strings("extends") for layer in self._extended(path, named, inside)]
        return [*layers, *own]

    def _extended(self, path: str, named: Positioned, inside: tuple[str, ...]) -> list[Positioned]:
        base = posixpath.normpath(posixpath.join(posixpath.dirname(path), str(named.content)))
        if base in inside:
            cycle = " → ".join((*inside[inside.index(base) :], base))
            self._wrong(named, f"`extends` cycle: {cycle}", fix="remove one of these `extends` entries")
            return []
        if is_outside(base):
            self._errors.append(outside_error(named))
            self.is_incomplete = True
            return []
        self._count += 1
        if len(inside) > DEEPEST or self._count > MOST_FILES:
            if not self._is_over_limit:
                message = f"too many files extend each other (limit {DEEPEST} in a row, {MOST_FILES} in total)"
                self._wrong(named, message, fix="merge some of these files")
            self._is_over_limit = True
            return []
        documents = self._files.documents(base, self._errors, named)
        if documents is None:
            self.is_incomplete = True
            return []
        return self._layers(base, documents, inside)

    def _single(self, documents: list[Positioned], *, is_base: bool) -> Positioned | None:
        first = documents[0]
        if len(documents) > 1:
            self._wrong(
                documents[1],
                "a second YAML document starts here; a description has only one",
                fix="merge both into one document",
            )
        if isinstance(first.content, Mapping):
            return first
        if isinstance(first.content, tuple):
            message = (
                "a list in the legacy format cannot be extended" if is_base else "the file mixes lists and mappings"
            )
            self._wrong(first, message, fix=_CONVERT)
        else:
            is_empty = first.content is None
            message = (
                "the file is empty" if is_empty else f"a stack description must be a mapping, not {first.content!r}"
            )
            self._wrong(first, message, fix="start the file with `apiVersion: cluster-forge/v1`")
        return None

    def _wrong(self, place: Positioned, message: str, *, fix: str) -> None:
        self._errors.append(DescriptionError(message, where=place.where, fix=fix))


def _is_list_of_texts(member: Positioned | None) -> bool:
    if member is None or member.content is None:
        return True
    return isinstance(member.content, tuple) and all(item.string is not None for item in member.items)
