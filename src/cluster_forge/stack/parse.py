"""From the description's text to the stack, for both formats: the one strict reader.

All errors of all files are raised together, in the order of files and lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import DescriptionError, ForgeError, raise_all
from cluster_forge.stack import (
    catalog_overlay,
    cluster_variants,
    component_builder,
    fleet_settings,
    key_as_name,
    merge,
    named_lists,
    settings,
)
from cluster_forge.stack.catalog_port import Catalog, Frame
from cluster_forge.stack.clusters import Fleet
from cluster_forge.stack.draft import Check, Draft
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.input_record import DESCRIPTION, InputRecord
from cluster_forge.stack.layers import LayerReader
from cluster_forge.stack.legacy.translation import translate
from cluster_forge.stack.model import Format, GitOps, Notice, Stack, Target
from cluster_forge.stack.plugin_reader import PluginReader
from cluster_forge.stack.resolve import LayeredComponent, Resolved, resolve
from cluster_forge.stack.schema.component import ComponentSchema
from cluster_forge.stack.schema.description import StackSchema
from cluster_forge.stack.schema.other_tools import other_file
from cluster_forge.stack.schema.validation import IsReported, schema_errors
from cluster_forge.stack.select import read_names, select, typed
from cluster_forge.stack.selection import Selection
from cluster_forge.stack.variables import description as variables
from cluster_forge.stack.variables import references
from cluster_forge.stack.variables.description import Expansion
from cluster_forge.yaml.positioned import Path, Positioned

_DEPLOYED_TO: Final = ("clusters", "rollout")
_IN_GITOPS: Final = ("central", "clusterFolders")
"""The sections, and the keys of `gitops`, that do not change what is cast."""
_PLACE: Final = re.compile(r"(.*?)(?::(\d+)(?::(\d+))?)?", re.DOTALL)
"""``file:line:column``, without the last or the last two."""
_LEGACY_NAME: Final = "stack"
"""The stack's name where the description is a list, which has no place for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDescription:
    """A description, merged and checked.

    ``effective`` is all of it in the native format as plain data: ``extends`` and ``environments`` merged, a list
    translated; ``origins`` has the ``file:line`` of every path in it. ``inputs`` are all files that were read.
    ``digest`` is that of ``effective`` but for the clusters: comments, order of keys and selected names do not change it
    (in a list the selection is part of the description).
    """

    stack: Stack
    fleet: Fleet
    effective: Mapping[str, Any]
    origins: Mapping[Path, str]
    notices: tuple[Notice, ...]
    inputs: InputRecord
    format: Format
    digest: Digest
    layered: Mapping[str, LayeredComponent]
    """The layers of each component of the stack, from which `component_builder` builds it."""
    variables: Mapping[str, Positioned] = field(default_factory=dict)
    """The values of the variables that the description declares."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """The stack's components that are not selected."""
        return self.stack.left_out

    @property
    def files(self) -> tuple[str, ...]:
        """The files that were read, in that order."""
        return tuple(self.inputs.digests)


def parse_description(
    files: InputFiles,
    selection: Selection | None = None,
    catalog: Catalog | None = None,
    check: Check = lambda _draft: (),
) -> ParsedDescription:
    """Read ``input/config.yaml`` and everything that it names.

    ``needs`` of the selected components may point to components that are not selected. The errors of ``check`` are raised
    together with all others.

    Raises:
        DescriptionError, UnknownNameError, ExceptionGroup: all errors.
    """
    return _Parser(files, selection or Selection()).parse(catalog, check)


class _Parser:
    """One reading of a description: what it has found so far."""

    def __init__(self, files: InputFiles, selection: Selection) -> None:
        self._files = files
        self._selection = selection
        self._errors: list[ForgeError] = []
        self._notices: list[Notice] = []
        self._format = Format.NATIVE
        self._unreadable: frozenset[str] = frozenset()
        """Components of a list whose ``source.yaml`` cannot be read."""
        self._removed: Mapping[str, Positioned] = {}
        """The entries that remove components of lower layers."""
        self._expansion: Expansion | None = None
        """The description's variables, if it has some."""
        self._is_deferred = False
        """Whether a text that refers to a variable does not fit the schema: its value may."""

    def parse(self, catalog: Catalog | None, check: Check) -> ParsedDescription:
        selection, errors = self._selection, self._errors
        names = [name for path in selection.select for name in read_names(self._files, path, errors)]
        names += typed(selection.names)
        description = self._description(names)
        if description is None or (selection.select and not names):
            raise_all(_sorted(errors))
        assert description is not None
        if catalog:
            catalog = catalog.extended(description.strings("catalogs"), self._files, errors)
        gitops = settings.gitops(description, errors)
        if self._format is Format.LIST:
            gitops = replace(gitops, default_where="")  # a list has no place for an engine
        frame = Frame(
            target=settings.target(description),
            skipped=frozenset(selection.skip),
            engine="" if errors else gitops.required,
            where=gitops.engine_where,
            has_facts=bool(self._expansion and self._expansion.has_facts(description)),
        )
        resolved = resolve(
            description, errors, catalog=catalog, frame=frame, removed=self._removed, expansion=self._expansion
        )
        errors.extend(self._still_there(description, resolved))
        selected = names if self._format is Format.NATIVE else ()
        kept = select(resolved, selected, typed(selection.skip), errors)
        stack = self._stack(description, gitops, resolved, kept)
        fleet = fleet_settings.fleet(description, errors)
        components = {name: resolved.known[name].merged for name in kept}
        errors.extend(check(Draft(stack=stack, description=description, components=components)))
        raise_all(_sorted(errors))
        return self._parsed(stack, fleet, description, resolved, kept)

    def _parsed(
        self, stack: Stack, fleet: Fleet, description: Positioned, resolved: Resolved, kept: Sequence[str]
    ) -> ParsedDescription:
        if resolved.from_catalog or self._expansion:
            components = [merge.without_nulls(resolved.known[name].merged) for name in kept]
            description = catalog_overlay.written_out(description, components)
        effective = description.plain
        origins = dict(description.origins())
        if self._expansion:
            origins |= self._expansion.origins()
        cast = {key: _cast(key, value) for key, value in effective.items() if key not in _DEPLOYED_TO}
        canonical = json.dumps(cast, sort_keys=True, separators=(",", ":")).encode()
        return ParsedDescription(
            stack=stack,
            fleet=fleet,
            effective=self._expansion.shown(effective) if self._expansion else effective,
            origins=MappingProxyType(origins),
            notices=tuple(notice for notice in (*self._notices, *resolved.notices) if notice.component in kept),
            inputs=self._files.record,
            format=self._format,
            digest=Digest.of(canonical),
            layered={name: resolved.known[name] for name in kept},
            variables=self._expansion.values if self._expansion else {},
        )

    def _description(self, names: Sequence[Positioned]) -> Positioned | None:
        """The description in the native format; None if a file of it cannot be read."""
        documents = self._files.documents(DESCRIPTION, self._errors)
        if documents is None:
            return None
        names_only = _only_names(documents)
        if names_only:
            self._errors.append(names_only)
            return None
        if all(isinstance(document.content, tuple) for document in documents):
            self._format = Format.LIST
            self._layer_reader(self._selection.environment).check_environment(DESCRIPTION)
            self._errors += variables.without_declarations(self._selection.given, DESCRIPTION)
            return self._translated(documents, names)
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
        merged = named_lists.composed(layers, self._errors)
        self._removed = merged.removed
        sources = variables.Sources(cluster=cluster.variables if cluster else {}, given=self._selection.given)
        self._expansion = variables.begun(
            merged.description, sources, settings.target_facts, self._files.text, self._errors
        )
        description = merge.without_nulls(merged.description).without("extends", "environments")
        if self._expansion:
            description = self._expansion.expanded(description)
        if self._expansion or self._is_deferred:
            is_reported = self._reported(description) if self._expansion else _is_of_this_layer
            self._errors += schema_errors(StackSchema, description, is_reported=is_reported)
        if not self._errors and description.get("name") is None:
            self._errors.append(
                DescriptionError(
                    "the stack has no name", where=f"{DESCRIPTION}:1", fix="add `name: my-platform` (a DNS label)"
                )
            )
        return description

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

    def _translated(self, documents: Sequence[Positioned], names: Sequence[Positioned]) -> Positioned:
        entries = tuple(item for document in documents for item in document.items)
        listed = Positioned(entries, documents[0].file, documents[0].line)
        translation = translate(listed, names, _LEGACY_NAME, self._files, self._errors)
        self._notices.extend(translation.notices)
        self._unreadable = translation.unreadable
        return translation.description

    def _stack(self, description: Positioned, gitops: GitOps, resolved: Resolved, kept: Sequence[str]) -> Stack:
        target = settings.target(description)
        image = settings.image(description, self._errors)
        registries = settings.registries(description, self._errors)
        plugins = PluginReader("the stack", self._files, self._errors)
        entries = [resolved.known[name] for name in kept if name not in self._unreadable]
        components = [
            component_builder.build(entry, target.size, self._files, self._errors, known=resolved.known)
            for entry in entries
        ]
        self._check_schema(resolved, kept, {str(component.name) for component in components if component})
        name = description.get("name")
        return Stack(
            name=str(name.content) if name else "",
            target=target,
            gitops=gitops,
            image=image,
            components=tuple(component for component in components if component is not None),
            finding_policy=settings.finding_policy(description),
            registries=registries,
            changes=settings.changes(description, self._files, self._errors),
            transformers=plugins.transformers(description),
            checks=plugins.checks(description),
            environment=self._selection.environment or "",
            left_out=self._left_out(resolved, kept),
            capabilities=_capabilities(target, resolved, kept),
        )

    def _left_out(self, resolved: Resolved, kept: Sequence[str]) -> tuple[str, ...]:
        """The components of the stack that are not selected. A list is the stack, unless a file selects from it."""
        is_narrowed_list = self._format is Format.LIST and self._selection.names
        whole = resolved.known if is_narrowed_list else resolved.stack
        return tuple(name for name in whole if name not in kept)

    def _still_there(self, description: Positioned, resolved: Resolved) -> Iterator[DescriptionError]:
        """Errors for components that the description removes, and that something else adds to the stack."""
        listed = description.get("components")
        names = [item.string or item.string_of("name") for item in (listed.items if listed else ())]
        for name in self._removed:
            if name in resolved.stack:
                yield named_lists.still_there(self._removed[name], resolved.collections, names)

    def _check_schema(self, resolved: Resolved, kept: Sequence[str], built: Collection[str]) -> None:
        """Schema errors that show only in the merged component: those of each layer are known by now.

        A definition that is not ``kept`` may have its rest in the catalog.
        """
        for name, entry in resolved.known.items():
            is_last = name in kept or (self._format is Format.NATIVE and name not in resolved.offered)
            if is_last and name not in built and name not in self._unreadable:
                every = self._format is Format.LIST or not self._errors
                merged = merge.without_nulls(entry.merged)
                self._errors.extend(
                    schema_errors(ComponentSchema, merged, name, _everything if every else _is_of_another_layer)
                )


def _everything(_kind: str, _path: Path) -> bool:
    return True


def _is_of_another_layer(kind: str, path: Path) -> bool:
    """Whether the error may be none once all layers are merged: a missing key of a mapping within a component."""
    return kind == "missing" and len(path) > 1 and all(isinstance(step, str) for step in path)


def _is_of_this_layer(kind: str, path: Path) -> bool:
    inside = path[2:] if path[:1] == ("environments",) else path
    return inside[:1] not in (("components",), ("define",)) or not _is_of_another_layer(kind, inside[2:])


def _cast(section: str, value: Any) -> Any:
    """What of a section changes what is cast."""
    return {key: value[key] for key in value if key not in _IN_GITOPS} if section == "gitops" else value


def _capabilities(target: Target, resolved: Resolved, kept: Iterable[str]) -> tuple[str, ...]:
    provided = (name for component in kept for name in resolved.provides.get(component, ()))
    return tuple(sorted({*target.provides, *resolved.brought, *provided}))


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


def _sorted(errors: Sequence[ForgeError]) -> list[ForgeError]:
    """By file (in the order of their first errors) and line, without duplicates."""
    unique = {(type(error), error.where, error.message): error for error in errors}
    files: dict[str, int] = {}
    keyed = []
    for error in unique.values():
        place = _PLACE.fullmatch(error.where or "")
        file, line, column = place.groups(default="0") if place else ("", "0", "0")
        keyed.append((files.setdefault(file, len(files)), int(line), int(column), error))
    return [error for *_, error in sorted(keyed, key=lambda place: place[:3])]
