"""From the description's text to the stack: the one entry point, for both formats.

Everything that is wrong in any of its files is raised together, in the order of files and lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ForgeError, raise_all
from cluster_forge.stack.catalog_port import Catalog
from cluster_forge.stack.input_files import Files, ListFiles, Read
from cluster_forge.stack.model import Format, Notice, Stack
from cluster_forge.stack.resolve import expanded, resolve, select
from cluster_forge.yaml.positioned import Path, Positioned

DESCRIPTION: Final = "input/config.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A description, read.

    ``effective`` is the whole of it in the native format as plain data: ``extends`` and ``environments`` merged, a list
    translated; ``origins`` has the ``file:line`` of every path in it. ``files`` are all files that were read.
    ``digest`` is that of ``effective``: it does not depend on comments, order of keys, or which names were chosen (in a
    list the selection is part of the description). ``left_out`` names the stack's components that were not chosen.
    """

    stack: Stack
    effective: Mapping[str, Any]
    origins: Mapping[Path, str]
    notices: tuple[Notice, ...]
    files: tuple[str, ...]
    format: Format
    digest: Digest
    left_out: tuple[str, ...] = ()


def load(  # noqa: PLR0913 -- one argument for each option of the command line
    read: Read,
    *,
    path: str = DESCRIPTION,
    environment: str | None = None,
    select_files: Sequence[str] = (),
    names: Sequence[str] = (),
    skip: Sequence[str] = (),
    list_files: ListFiles | None = None,
    name: str = "stack",
    catalog: Catalog | None = None,
) -> Loaded:
    """Read the description at ``path`` (in the workspace) and everything that it names.

    ``names`` and the names in ``select_files`` choose from the stack, ``skip`` leaves out; ``needs`` of what is chosen
    may then point outside of it. Without ``list_files`` nobody checks whether manifests and charts are there. ``name``
    is the stack's if the description is a list.

    Raises:
        DescriptionError, UnknownNameError, ExceptionGroup: what is wrong, all of it.
    """
    from cluster_forge.stack import settings  # noqa: PLC0415 -- as below
    from cluster_forge.stack.loading import Loading  # noqa: PLC0415 -- pydantic: 0.2 s that only a reader should pay

    loading = Loading(Files(read, list_files), environment)
    chosen = [*loading.selection(select_files), *_typed(names)]
    description, form = loading.description(path, chosen, name)
    if description is None or (select_files and not chosen):
        raise_all(_ordered(loading.errors))
    assert description is not None
    if catalog:
        catalog = catalog.extended(description.strings("catalogs"), loading.files, loading.errors)
    resolved = resolve(description, loading.errors, catalog=catalog, target=settings.target(description), skip=skip)
    kept = select(resolved, chosen if form is Format.NATIVE else (), _typed(skip), loading.errors)
    stack = loading.stack(description, resolved, kept)
    raise_all(_ordered(loading.errors))
    description = expanded(description, resolved, kept)
    effective = description.plain
    canonical = json.dumps(effective, sort_keys=True, separators=(",", ":")).encode()
    return Loaded(
        stack=stack,
        effective=effective,
        origins=MappingProxyType(dict(description.origins())),
        notices=tuple(notice for notice in (*loading.notices, *resolved.notices) if notice.component in kept),
        files=loading.files.seen,
        format=form,
        digest=Digest.of(canonical),
        left_out=tuple(name for name in resolved.stack if name not in kept),
    )


def _typed(names: Sequence[str]) -> list[Positioned]:
    """Names from the command line: they have no place."""
    return [Positioned(name, "") for name in names]


def _ordered(errors: Sequence[ForgeError]) -> list[ForgeError]:
    """By file (in the order in which they were found wrong) and line; each once."""
    once = {(type(error), error.where, error.message): error for error in errors}
    files: dict[str, int] = {}
    keyed = []
    for error in once.values():
        file, _, line = (error.where or "").rpartition(":")
        keyed.append((files.setdefault(file or line, len(files)), int(line) if line.isdigit() else 0, error))
    return [error for *_, error in sorted(keyed, key=lambda found: found[:2])]
