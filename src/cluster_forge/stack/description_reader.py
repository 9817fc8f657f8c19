"""From the files of a description to one: environments and ``extends`` merged, a list translated, variables replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack import cluster_variants, key_as_name, merge, named_lists, settings
from cluster_forge.stack.cluster_variants import ClusterVariant
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.input_record import DESCRIPTION
from cluster_forge.stack.layers import LayerReader
from cluster_forge.stack.legacy.translation import translate
from cluster_forge.stack.model import Format, Notice
from cluster_forge.stack.schema.description import StackSchema
from cluster_forge.stack.schema.other_tools import other_file
from cluster_forge.stack.schema.validation import IsReported, schema_errors
from cluster_forge.stack.selection import Selection
from cluster_forge.stack.variables import description as variables
from cluster_forge.stack.variables import references
from cluster_forge.stack.variables.description import Expansion
from cluster_forge.yaml.positioned import Path, Positioned

_LEGACY_NAME: Final = "stack"
"""The stack's name where the description is a list, which has no place for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDescription:
    """A description in the native format, before the catalog: ``expansion`` are its variables, if it has some.

    ``removed`` are the entries that remove components of lower layers, ``unreadable`` the components of a list whose
    ``source.yaml`` cannot be read.
    """

    description: Positioned
    format: Format
    notices: tuple[Notice, ...] = ()
    unreadable: frozenset[str] = frozenset()
    removed: Mapping[str, Positioned] = field(default_factory=dict)
    expansion: Expansion | None = None


class DescriptionReader:
    """Reads one description; what is wrong goes into ``errors``."""

    def __init__(self, files: InputFiles, selection: Selection, errors: list[ForgeError]) -> None:
        self._files = files
        self._selection = selection
        self._errors = errors
        self._is_deferred = False
        """Whether a text that refers to a variable does not fit the schema: its value may."""

    def read(self, names: Sequence[Positioned]) -> WrittenDescription | None:
        """The description, in a list with the components of ``names``; None if a file of it cannot be read."""
        documents = self._files.documents(DESCRIPTION, self._errors)
        if documents is None:
            return None
        names_only = _only_names(documents)
        if names_only:
            self._errors.append(names_only)
            return None
        if all(isinstance(document.content, tuple) for document in documents):
            self._layer_reader(self._selection.environment).check_environment(DESCRIPTION)
            self._errors += variables.without_declarations(self._selection.given, DESCRIPTION)
            return self._translated(documents, names)
        layers = self._layers(documents)
        return None if layers is None else self._merged(*layers)

    def _layers(self, documents: list[Positioned]) -> tuple[Sequence[Positioned], ClusterVariant | None] | None:
        """The layers, lowest first, and the cluster that is selected as an environment; None if one cannot be read."""
        reader = self._layer_reader(self._selection.environment)
        layers = reader.layers(DESCRIPTION, documents)
        cluster = cluster_variants.of(self._selection.environment, layers)
        self._errors += cluster_variants.ambiguous(layers, reader.environments)
        if cluster:
            reader = self._layer_reader(cluster.environment or None)
            layers = reader.layers(DESCRIPTION, documents)
        if not self._errors:
            reader.check_environment(DESCRIPTION)
        if reader.is_incomplete:
            return None
        return layers, cluster

    def _merged(self, layers: Sequence[Positioned], cluster: ClusterVariant | None) -> WrittenDescription:
        merged = named_lists.composed(layers, self._errors)
        sources = variables.Sources(cluster=cluster.variables if cluster else {}, given=self._selection.given)
        expansion = variables.begun(merged.description, sources, settings.target_facts, self._files.text, self._errors)
        description = merge.without_nulls(merged.description).without("extends", "environments")
        if expansion:
            description = expansion.expanded(description)
        if expansion or self._is_deferred:
            is_reported = self._reported(description) if expansion else _is_of_this_layer
            self._errors += schema_errors(StackSchema, description, is_reported=is_reported)
        if not self._errors and description.get("name") is None:
            self._errors.append(
                DescriptionError(
                    "the stack has no name", where=f"{DESCRIPTION}:1", fix="add `name: my-platform` (a DNS label)"
                )
            )
        return WrittenDescription(
            description=description, format=Format.NATIVE, removed=merged.removed, expansion=expansion
        )

    def _layer_reader(self, environment: str | None) -> LayerReader:
        return LayerReader(self._files, environment, self._errors, self._layer_errors)

    def _layer_errors(self, document: Positioned) -> list[DescriptionError]:
        other = other_file(document)
        if other:
            return [other]
        named, errors = key_as_name.named(document)
        layer = merge.without_nulls(named)
        is_reported = self._reported(layer)
        of_schema = schema_errors(StackSchema, layer, is_reported=is_reported)
        return [*errors, *named_lists.layer_errors(document), *of_schema]

    def _reported(self, layer: Positioned) -> IsReported:
        """Whether an error is one of this layer, and not one of a text that refers to a variable."""

        def is_reported(kind: str, path: Path) -> bool:
            refers = references.are_in(layer.at(path).content)
            self._is_deferred |= refers
            return _is_of_this_layer(kind, path) and not refers

        return is_reported

    def _translated(self, documents: Sequence[Positioned], names: Sequence[Positioned]) -> WrittenDescription:
        entries = tuple(item for document in documents for item in document.items)
        listed = Positioned(entries, documents[0].file, documents[0].line)
        translation = translate(listed, names, _LEGACY_NAME, self._files, self._errors)
        return WrittenDescription(
            description=translation.description,
            format=Format.LIST,
            notices=tuple(translation.notices),
            unreadable=translation.unreadable,
        )


def is_of_another_layer(kind: str, path: Path) -> bool:
    """Whether the error may be none once all layers are merged: a missing key of a mapping within a component."""
    return kind == "missing" and len(path) > 1 and all(isinstance(step, str) for step in path)


def _is_of_this_layer(kind: str, path: Path) -> bool:
    inside = path[2:] if path[:1] == ("environments",) else path
    return inside[:1] not in (("components",), ("define",)) or not is_of_another_layer(kind, inside[2:])


def _only_names(documents: Sequence[Positioned]) -> DescriptionError | None:
    """The error for a list of names alone, which is not the legacy format: its entries are mappings."""
    items = [item for document in documents for item in document.items]
    if not items or not all(isinstance(item.content, str) for item in items):
        return None
    shown = ", ".join(str(item.content) for item in items[:3]) + (", …" if len(items) > 3 else "")
    return DescriptionError(
        f"a stack description must be a mapping, not a list of names ({shown})",
        where=documents[0].where,
        fix=f"start the file with `apiVersion: cluster-forge/v1` and `kind: Stack`, then `components: [{shown}]`",
    )
