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
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack import (
    catalog_overlay,
    component_builder,
    fleet_settings,
    merge,
    named_lists,
    settings,
)
from cluster_forge.stack.catalog_port import Catalog, Frame
from cluster_forge.stack.clusters import Fleet
from cluster_forge.stack.description_reader import DescriptionReader, WrittenDescription, is_of_another_layer
from cluster_forge.stack.draft import Check, Draft
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.input_record import InputRecord
from cluster_forge.stack.model import Format, GitOps, Notice, Stack, Target
from cluster_forge.stack.plugin_reader import PluginReader
from cluster_forge.stack.resolve import LayeredComponent, Resolved, resolve
from cluster_forge.stack.schema.component import ComponentSchema
from cluster_forge.stack.schema.validation import schema_errors
from cluster_forge.stack.select import read_names, select, typed
from cluster_forge.stack.selection import Selection
from cluster_forge.yaml.positioned import Path, Positioned

_DEPLOYED_TO: Final = ("clusters", "rollout")
_IN_GITOPS: Final = ("central", "clusterFolders")
"""The sections, and the keys of `gitops`, that do not change what is cast."""
_PLACE: Final = re.compile(r"(.*?)(?::(\d+)(?::(\d+))?)?", re.DOTALL)
"""``file:line:column``, without the last or the last two."""


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
    selection = selection or Selection()
    errors: list[ForgeError] = []
    names = [name for path in selection.select for name in read_names(files, path, errors)]
    names += typed(selection.names)
    written = DescriptionReader(files, selection, errors).read(names)
    if written is None or (selection.select and not names):
        raise_all(_sorted(errors))
    assert written is not None
    return _Parser(files, selection, errors, written).parse(names, catalog, check)


class _Parser:
    """From a description to a stack: its components found, selected and built. What is wrong goes into ``errors``."""

    def __init__(
        self, files: InputFiles, selection: Selection, errors: list[ForgeError], written: WrittenDescription
    ) -> None:
        self._files = files
        self._selection = selection
        self._errors = errors
        self._written = written

    def parse(self, names: Sequence[Positioned], catalog: Catalog | None, check: Check) -> ParsedDescription:
        selection, errors = self._selection, self._errors
        description, expansion = self._written.description, self._written.expansion
        if catalog:
            catalog = catalog.extended(description.strings("catalogs"), self._files, errors)
        gitops = settings.gitops(description, errors)
        if self._written.format is Format.LIST:
            gitops = replace(gitops, default_where="")  # a list has no place for an engine
        frame = Frame(
            target=settings.target(description),
            skipped=frozenset(selection.skip),
            engine="" if errors else gitops.required,
            where=gitops.engine_where,
            has_facts=bool(expansion and expansion.has_facts(description)),
        )
        resolved = resolve(
            description, errors, catalog=catalog, frame=frame, removed=self._written.removed, expansion=expansion
        )
        errors.extend(self._still_there(description, resolved))
        selected = names if self._written.format is Format.NATIVE else ()
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
        expansion = self._written.expansion
        if resolved.from_catalog or expansion:
            components = [merge.without_nulls(resolved.known[name].merged) for name in kept]
            description = catalog_overlay.written_out(description, components)
        effective = description.plain
        origins = dict(description.origins())
        if expansion:
            origins |= expansion.origins()
        cast = {key: _cast(key, value) for key, value in effective.items() if key not in _DEPLOYED_TO}
        canonical = json.dumps(cast, sort_keys=True, separators=(",", ":")).encode()
        return ParsedDescription(
            stack=stack,
            fleet=fleet,
            effective=expansion.shown(effective) if expansion else effective,
            origins=MappingProxyType(origins),
            notices=tuple(notice for notice in (*self._written.notices, *resolved.notices) if notice.component in kept),
            inputs=self._files.record,
            format=self._written.format,
            digest=Digest.of(canonical),
            layered={name: resolved.known[name] for name in kept},
            variables=expansion.values if expansion else {},
        )

    def _stack(self, description: Positioned, gitops: GitOps, resolved: Resolved, kept: Sequence[str]) -> Stack:
        target = settings.target(description)
        image = settings.image(description, self._errors)
        registries = settings.registries(description, self._errors)
        plugins = PluginReader("the stack", self._files, self._errors)
        entries = [resolved.known[name] for name in kept if name not in self._written.unreadable]
        components = [
            component_builder.build(entry, target.size, self._files, self._errors, known=resolved.known)
            for entry in entries
        ]
        self._check_schema(resolved, kept, {str(component.name) for component in components if component})
        built = tuple(component for component in components if component is not None)
        name = description.get("name")
        return Stack(
            name=str(name.content) if name else "",
            target=target,
            gitops=gitops,
            image=image,
            components=built,
            finding_policy=settings.finding_policy(description, built),
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
        is_narrowed_list = self._written.format is Format.LIST and self._selection.names
        whole = resolved.known if is_narrowed_list else resolved.stack
        return tuple(name for name in whole if name not in kept)

    def _still_there(self, description: Positioned, resolved: Resolved) -> Iterator[DescriptionError]:
        """Errors for components that the description removes, and that something else adds to the stack."""
        listed = description.get("components")
        names = [item.string or item.string_of("name") for item in (listed.items if listed else ())]
        for name in self._written.removed:
            if name in resolved.stack:
                yield named_lists.still_there(self._written.removed[name], resolved.collections, names)

    def _check_schema(self, resolved: Resolved, kept: Sequence[str], built: Collection[str]) -> None:
        """Schema errors that show only in the merged component: those of each layer are known by now.

        A definition that is not ``kept`` may have its rest in the catalog.
        """
        for name, entry in resolved.known.items():
            is_last = name in kept or (self._written.format is Format.NATIVE and name not in resolved.offered)
            if is_last and name not in built and name not in self._written.unreadable:
                every = self._written.format is Format.LIST or not self._errors
                merged = merge.without_nulls(entry.merged)
                self._errors.extend(
                    schema_errors(ComponentSchema, merged, name, _everything if every else is_of_another_layer)
                )


def _everything(_kind: str, _path: Path) -> bool:
    return True


def _cast(section: str, value: Any) -> Any:
    """What of a section changes what is cast."""
    return {key: value[key] for key in value if key not in _IN_GITOPS} if section == "gitops" else value


def _capabilities(target: Target, resolved: Resolved, kept: Iterable[str]) -> tuple[str, ...]:
    provided = (name for component in kept for name in resolved.provides.get(component, ()))
    return tuple(sorted({*target.provides, *resolved.brought, *provided}))


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
