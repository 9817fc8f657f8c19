"""The components, collections and capabilities of a catalog, each file read when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Protocol, TypeVar

from cluster_forge.catalog.component_format import Capability, CatalogCollection, CatalogComponent
from cluster_forge.foundation.errors import DescriptionError, UnknownNameError, raise_all
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.schema.key_types import Schema
from cluster_forge.stack.schema.validation import schema_errors
from cluster_forge.yaml import positioned_reader

Kind = TypeVar("Kind", bound=Schema)
_COMPONENTS, _COLLECTIONS, _CAPABILITIES = "components", "collections.yaml", "capabilities.yaml"


class Folder(Protocol):
    """A catalog's folder: ``components/<name>.yaml``, ``collections.yaml`` and ``capabilities.yaml``."""

    def names(self) -> Sequence[str]:
        """The components that have a file, sorted."""

    def read(self, path: str) -> bytes | None:
        """A file of the folder; None where there is none."""

    def place(self, path: str) -> str:
        """What messages call a file."""


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
        """Whether it holds anything that a catalog holds."""
        return bool(self.names()) or any(map(self.read, (_COLLECTIONS, _CAPABILITIES)))

    def names(self) -> Sequence[str]:
        start = f"{self.root}/{_COMPONENTS}/"
        found = (path.removeprefix(start) for path in self.files.listed(start.rstrip("/")) or ())
        return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml") and "/" not in name)

    def read(self, path: str) -> bytes | None:
        return self.files.text(self.place(path))

    def place(self, path: str) -> str:
        return f"{self.root}/{path}"


@dataclass(frozen=True)
class Library:
    """Catalogs laid over each other: what a later one has replaces what an earlier one calls so."""

    folders: tuple[Folder, ...]
    _read: dict[str, CatalogComponent] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every component, sorted."""
        return tuple(sorted({name for folder in self.folders for name in folder.names()}))

    @property
    def own(self) -> tuple[str, ...]:
        """The components of the catalogs that are laid over the first one, sorted."""
        return tuple(sorted({name for folder in self.folders[1:] for name in folder.names()}))

    def component(self, name: str) -> CatalogComponent:
        """A component.

        Raises:
            UnknownNameError: if there is none of that name.
            DescriptionError, ExceptionGroup: what is wrong in its file, with lines.
        """
        if name not in self._read:
            path = f"{_COMPONENTS}/{name}.yaml"
            folder = next((each for each in reversed(self.folders) if name in each.names()), None)
            if folder is None:
                near = did_you_mean(name, self.names)
                raise UnknownNameError(
                    f"the catalog has no component {name!r}{near}", fix="see `cluster-forge catalog list`"
                )
            found = _parsed(CatalogComponent, folder.read(path) or b"", folder.place(path))
            if found.name != name:
                raise DescriptionError(
                    f"the component in {path} is called {found.name!r}", where=folder.place(path), fix=f"call it {name}"
                )
            self._read[name] = found
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
        """The capabilities, by name; what a user's own catalog has is preferred to what the packaged one has."""
        found = self._mapping(Capability, _CAPABILITIES)
        for folder in self.folders[1:]:
            for name in folder.names():
                for given in self.component(name).provides:
                    known = found.get(given) or Capability(title=given, providers=[])
                    others = [each for each in known.providers if each != name]
                    found[given] = known.model_copy(update={"providers": [name, *others], "sizes": {}})
        return found

    def providers(self, name: str) -> tuple[str, ...]:
        """The components that a need for ``name`` is met by: itself, or the providers of the capability of that name."""
        if name in self.names:
            return (name,)
        capability = self.capabilities.get(name)
        return tuple(capability.providers) if capability else ()

    def _mapping(self, kind: type[Kind], path: str) -> dict[str, Kind]:
        found: dict[str, Kind] = {}
        for folder in self.folders:
            content = folder.read(path)
            if content is not None:
                found |= _members(kind, content, folder.place(path))
        return found


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
    raise_all(fault for name, member in traced.mapping.items() for fault in schema_errors(kind, member, name))
    return {name: kind.model_validate(member.plain) for name, member in traced.mapping.items()}


def flattened(names: Iterable[str], collections: Mapping[str, CatalogCollection]) -> tuple[str, ...]:
    """The components that the names of components and collections stand for, each once."""
    found: dict[str, None] = {}
    waiting = list(names)[::-1]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in collections:
            if name not in seen:
                seen.add(name)
                waiting.extend(reversed(collections[name].members))
        else:
            found[name] = None
    return tuple(found)
