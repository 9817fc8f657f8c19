"""What one reading of a description does: its files into one native description, and that into a stack.

Needs pydantic, which takes a while to import: `parse` imports this module when there is something to read.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError, UnknownNameError, leaves
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack import component_builder, legacy_format, merge, settings
from cluster_forge.stack.input_files import INPUT, Files
from cluster_forge.stack.model import Format, Notice, Stack
from cluster_forge.stack.resolve import Resolved
from cluster_forge.stack.schema import ComponentSchema, StackSchema
from cluster_forge.stack.validation import schema_errors
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned

_MOST_EXTENDED: Final = 200
"""Files that are laid over each other, each as often as it is named."""

_DEEPEST: Final = 30
"""Files that extend each other in a row."""


class Loading:
    """What one `load` has read and found so far."""

    def __init__(self, files: Files, environment: str | None) -> None:
        self.files = files
        self.errors: list[ForgeError] = []
        self.notices: list[Notice] = []
        self._environment = environment
        self._environments: dict[str, None] = {}
        self._extended_files = 0
        self._is_endless = False
        self._is_translated = False
        self._broken: frozenset[str] = frozenset()
        self._is_incomplete = False
        """Whether a file is missing or unreadable, so that its names are not known."""

    def description(self, path: str, selection: Sequence[Positioned], name: str) -> tuple[Positioned | None, Format]:
        """The description in the native format; None if a file of it cannot be read."""
        documents = self._documents(path, None)
        if documents is None:
            return None, Format.NATIVE
        if all(isinstance(document.content, tuple) for document in documents):
            return self._translated(documents, selection, name), Format.LIST
        return self._native(path, documents), Format.NATIVE

    def selection(self, files: Sequence[str]) -> list[Positioned]:
        """The names in the files, each relative to ``input/`` or to the workspace."""
        return [name for file in files for name in self._selected(file)]

    def stack(self, description: Positioned, resolved: Resolved, kept: Sequence[str]) -> Stack:

        target = settings.target(description)
        gitops = settings.gitops(description, self.errors)
        image = settings.image(description, self.errors)
        entries = [resolved.known[name] for name in kept if name not in self._broken]
        built = [
            component_builder.build(entry, target.size, self.files, self.errors, known=resolved.known)
            for entry in entries
        ]
        if self._is_translated or not self.errors:
            for entry in (entry for entry, made in zip(entries, built, strict=True) if made is None):
                self.errors.extend(schema_errors(ComponentSchema, merge.without_nulls(entry.merged), entry.name))
        name = description.get("name")
        return Stack(
            name=str(name.content) if name else "",
            target=target,
            gitops=gitops,
            image=image,
            components=tuple(made for made in built if made is not None),
            ignores=settings.ignores(description),
        )

    def _documents(self, path: str, named: Positioned | None) -> list[Positioned] | None:
        content = self.files.text(path)
        if content is None:
            fix = "name another file" if named else "write it, or let `cluster-forge init` write it"
            self.errors.append(
                DescriptionError(f"there is no file {path}", where=named.where if named else None, fix=fix)
            )
            return None
        try:
            return [document.root for document in positioned_reader.read_all(content, path)]
        except (DescriptionError, ExceptionGroup) as error:
            self.errors.extend(fault for fault in leaves(error) if isinstance(fault, ForgeError))
            return None

    def _native(self, path: str, documents: list[Positioned]) -> Positioned | None:
        layers = list(self._layers(path, documents, ()))
        if self._environment is not None and self._environment not in self._environments and not self.errors:
            self.errors.append(self._unknown_environment(path))
        if self._is_incomplete:
            return None
        description = merge.without_nulls(merge.positioned(*layers)).without("extends", "environments")
        if not self.errors and description.get("name") is None:
            self.errors.append(
                DescriptionError(
                    "the stack has no name", where=f"{path}:1", fix="add `name: my-platform` (a DNS label)"
                )
            )
        return description

    def _layers(self, path: str, documents: list[Positioned], above: tuple[str, ...]) -> list[Positioned]:
        """What the file extends, earliest first, and the file, each with the environment laid over it."""
        document = self._single(documents, is_base=bool(above))
        if document is None:
            self._is_incomplete = True
            return []
        self.errors.extend(schema_errors(StackSchema, merge.without_nulls(document)))
        environments = document.at(("environments",)).mapping if document.get("environments") else {}
        self._environments.update(dict.fromkeys(environments))
        overlay = environments.get(self._environment or "")
        if overlay is not None:
            document = merge.positioned(document, overlay)
        inside = (*above, path)
        layers = [layer for named in document.strings("extends") for layer in self._extended(path, named, inside)]
        return [*layers, document]

    def _extended(self, path: str, named: Positioned, inside: tuple[str, ...]) -> list[Positioned]:
        base = posixpath.normpath(posixpath.join(posixpath.dirname(path), str(named.content)))
        if base in inside:
            circle = " → ".join((*inside[inside.index(base) :], base))
            self.errors.append(
                DescriptionError(
                    f"a file extends itself: {circle}", where=named.where, fix="take one of these `extends` out"
                )
            )
            return []
        self._extended_files += 1
        if len(inside) > _DEEPEST or self._extended_files > _MOST_EXTENDED:
            if not self._is_endless:
                self.errors.append(_extends_too_much(named))
            self._is_endless = True
            return []
        documents = self._documents(base, named)
        if documents is None:
            self._is_incomplete = True
            return []
        return self._layers(base, documents, inside)

    def _single(self, documents: list[Positioned], *, is_base: bool) -> Positioned | None:
        first = documents[0]
        if len(documents) > 1:
            self.errors.append(
                DescriptionError(
                    "a second document begins here, and only one is read",
                    where=documents[1].where,
                    fix="put everything into one document",
                )
            )
        if isinstance(first.content, Mapping):
            return first
        if isinstance(first.content, tuple):
            message = "a list of the first format cannot be extended" if is_base else "a list and a mapping in one file"
            self.errors.append(
                DescriptionError(
                    message, where=first.where, fix="`cluster-forge convert` writes it in the native format"
                )
            )
        else:
            found = "nothing" if first.content is None else repr(first.content)
            self.errors.append(
                DescriptionError(
                    f"a stack description is a mapping, and here is {found}",
                    where=first.where,
                    fix="begin with `apiVersion: cluster-forge/v1`",
                )
            )
        return None

    def _translated(self, documents: list[Positioned], selection: Sequence[Positioned], name: str) -> Positioned:
        self._is_translated = True
        if self._environment is not None:
            self.errors.append(self._unknown_environment(documents[0].file))
        entries = Positioned(
            tuple(item for document in documents for item in document.items), documents[0].file, documents[0].line
        )
        translation = legacy_format.translate(entries, selection, name, self.files, self.errors)
        self.notices.extend(translation.notices)
        self._broken = translation.broken
        return translation.description

    def _unknown_environment(self, path: str) -> UnknownNameError:
        near = did_you_mean(str(self._environment), self._environments)
        known = f"there are {', '.join(self._environments)}" if self._environments else "it describes none"
        return UnknownNameError(f"no environment is called {self._environment!r}{near}", where=path, fix=known)

    def _selected(self, file: str) -> list[Positioned]:
        path = next(
            (path for path in (f"{INPUT}/{file}", file) if self.files.text(posixpath.normpath(path)) is not None), None
        )
        if path is None:
            self.errors.append(
                DescriptionError(
                    f"there is no file {file}, neither in input/ nor in the workspace", fix="give --select another file"
                )
            )
            return []
        documents = self._documents(posixpath.normpath(path), None) or []
        return [name for document in documents for name in self._selected_names(document)]

    def _selected_names(self, document: Positioned) -> list[Positioned]:
        if not document.items:
            self.errors.append(
                DescriptionError(
                    "a selection is a list of names", where=document.where, fix="write `- name: NAME` lines"
                )
            )
        found = []
        for item in document.items:
            name = item if item.string is not None else item.get("name")
            more = [key for key in item.mapping if key != "name"]
            if name is None or name.string is None or more:
                what = f"{more[0]!r} means nothing here" if more else "this is no name"
                self.errors.append(
                    DescriptionError(f"a selection only names: {what}", where=item.where, fix="write `- name: NAME`")
                )
            else:
                found.append(name)
        return found


def _extends_too_much(named: Positioned) -> DescriptionError:
    return DescriptionError(
        f"more than {_DEEPEST} files extend each other in a row, or more than {_MOST_EXTENDED} in all",
        where=named.where,
        fix="put what these files say into fewer of them",
    )
