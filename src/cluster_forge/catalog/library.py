"""The components, collections and capabilities of a catalog, each file read when it is first needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Protocol, TypeVar

from cluster_forge.catalog import readiness_index
from cluster_forge.catalog.component_format import (
    CatalogComponent,
    Operates,
)
from cluster_forge.catalog.file_formats import Capability, CatalogCollection, Distribution
from cluster_forge.catalog.readiness_index import Rules
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import DescriptionError, UnknownNameError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.schema.key_types import Schema
from cluster_forge.stack.schema.validation import schema_errors
from cluster_forge.yaml import positioned_reader

Kind = TypeVar("Kind", bound=Schema)
_COMPONENTS, _COLLECTIONS, _CAPABILITIES = "components", "collections.yaml", "capabilities.yaml"
_DISTRIBUTIONS = "distributions.yaml"


class Folder(Protocol):
    """A catalog's folder: ``components/<name>.yaml``, and ``collections``, ``capabilities`` and ``distributions`` (``.yaml``)."""

    def names(self) -> Sequence[str]:
        """The components that have a file, sorted."""

    def read(self, path: str) -> bytes | None:
        """A file of the folder; None if it does not exist."""

    def place(self, path: str) -> str:
        """A file as messages name it."""


class Packaged:
    """`Folder` of the catalog that comes with the program."""

    def names(self) -> Sequence[str]:
        entries = (entry.name for entry in (self._root / _COMPONENTS).iterdir())
        return sorted(name.removesuffix(".yaml") for name in entries if name.endswith(".yaml"))

    def read(self, path: str) -> bytes | None:
        file = self._root.joinpath(path)
        return file.read_bytes() if file.is_file() else None

    def place(self, path: str) -> str:
        return f"catalog:{path.removeprefix(f'{_COMPONENTS}/').removesuffix('.yaml')}"

    @cached_property
    def _root(self) -> Traversable:
        return files("cluster_forge.catalog") / "data"


@dataclass(frozen=True)
class InInput:
    """`Folder` of a user's own catalog, in the workspace."""

    files: InputFiles
    root: str

    @property
    def is_there(self) -> bool:
        """Whether it has any file of a catalog."""
        return bool(self.names()) or any(map(self.read, (_COLLECTIONS, _CAPABILITIES, _DISTRIBUTIONS)))

    def names(self) -> Sequence[str]:
        start = f"{self.root}/{_COMPONENTS}/"
        files = (path.removeprefix(start) for path in self.files.listed(start.rstrip("/")) or ())
        return sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml") and "/" not in name)

    def read(self, path: str) -> bytes | None:
        return self.files.text(self.place(path))

    def place(self, path: str) -> str:
        return f"{self.root}/{path}"


@dataclass(frozen=True)
class Library:
    """Several catalogs as one: a later one's components, collections and capabilities replace those of the same name."""

    folders: tuple[Folder, ...]
    _read: dict[str, CatalogComponent] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every component, sorted."""
        return tuple(sorted({name for folder in self.folders for name in folder.names()}))

    @property
    def own(self) -> tuple[str, ...]:
        """The components of all catalogs but the first one, sorted."""
        return tuple(sorted({name for folder in self.folders[1:] for name in folder.names()}))

    def component(self, name: str) -> CatalogComponent:
        """A component.

        Raises:
            UnknownNameError: if no catalog has it.
            DescriptionError, ExceptionGroup: if its file is invalid, with lines.
        """
        if name not in self._read:
            path = f"{_COMPONENTS}/{name}.yaml"
            folder = next((folder for folder in reversed(self.folders) if name in folder.names()), None)
            if folder is None:
                near = did_you_mean(name, self.names)
                raise UnknownNameError(
                    f"the catalog has no component {name!r}{near}",
                    fix="see the components with `cluster-forge catalog list`",
                )
            component = _parsed(CatalogComponent, folder.read(path) or b"", folder.place(path))
            if component.name != name:
                raise DescriptionError(
                    f"`name: {component.name}` differs from the file's name",
                    where=folder.place(path),
                    fix=f"write `name: {name}`, or rename the file to {component.name}.yaml",
                )
            self._read[name] = component
        return self._read[name]

    def components(self) -> tuple[CatalogComponent, ...]:
        """All of them, by name."""
        return tuple(self.component(name) for name in self.names)

    @cached_property
    def collections(self) -> Mapping[str, CatalogCollection]:
        """The collections, by name."""
        return self._mapping(CatalogCollection, _COLLECTIONS)

    @cached_property
    def capabilities(self) -> Mapping[str, Capability]:
        """The capabilities, by name; providers of a user's own catalog are preferred to those of the packaged one."""
        capabilities = self._mapping(Capability, _CAPABILITIES)
        for folder in self.folders[1:]:
            for name in folder.names():
                for provided in self.component(name).provides:
                    known = capabilities.get(provided) or Capability(title=provided, providers=[])
                    others = [provider for provider in known.providers if provider != name]
                    capabilities[provided] = known.model_copy(update={"providers": [name, *others], "sizes": {}})
        return capabilities

    @cached_property
    def distributions(self) -> Mapping[str, Distribution]:
        """The distributions of Kubernetes that are known, by name."""
        return self._mapping(Distribution, _DISTRIBUTIONS)

    def brought_by(self, suffix: str) -> frozenset[str]:
        """The capabilities that the distribution with this suffix of its versions brings (``+k3s1``); none if it is unknown."""
        if not suffix:
            return frozenset()
        matching = (known for known in self.distributions.values() if known.version in suffix)
        return frozenset(name for known in matching for name in known.provides)

    @cached_property
    def operates(self) -> tuple[Operates, ...]:
        """The kinds of objects for which components of the library create others at run time."""
        return tuple(operated for component in self.components() for operated in component.operates)

    @cached_property
    def readiness(self) -> Rules:
        """When objects are ready that controllers of the library's components answer."""
        return readiness_index.merged(
            (component.name, entry.model_dump()) for component in self.components() for entry in component.readiness
        )

    def providers(self, name: str) -> tuple[str, ...]:
        """The components that meet a need for ``name``: the one of that name, or the providers of that capability."""
        if name in self.names:
            return (name,)
        capability = self.capabilities.get(name)
        return tuple(capability.providers) if capability else ()

    def _mapping(self, kind: type[Kind], path: str) -> dict[str, Kind]:
        members: dict[str, Kind] = {}
        for folder in self.folders:
            content = folder.read(path)
            if content is not None:
                members |= _members(kind, content, folder.place(path))
        return members


@cache
def packaged() -> Library:
    """The catalog that comes with the program."""
    return Library((Packaged(),))


def _parsed(kind: type[Kind], content: bytes, place: str) -> Kind:
    traced = positioned_reader.read(content, place).root
    raise_all(schema_errors(kind, traced))
    return kind.model_validate(traced.plain)


def _members(kind: type[Kind], content: bytes, place: str) -> dict[str, Kind]:
    traced = positioned_reader.read(content, place).root
    raise_all(error for name, member in traced.mapping.items() for error in schema_errors(kind, member, name))
    return {name: kind.model_validate(member.plain) for name, member in traced.mapping.items()}


def flattened(names: Iterable[str], collections: Mapping[str, CatalogCollection]) -> tuple[str, ...]:
    """The components that names of components and collections stand for, each once."""
    components: dict[str, None] = {}
    waiting = list(names)[::-1]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in collections:
            if name not in seen:
                seen.add(name)
                waiting.extend(reversed(collections[name].members))
        else:
            components[name] = None
    return tuple(components)
