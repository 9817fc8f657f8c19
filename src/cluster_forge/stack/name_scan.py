"""The names of a description, read quickly and forgivingly: for those who choose, before anything is checked.

Of what `parse.load` reads this is the part that says which components and collections there are, without pydantic and
without looking at anything else. What is wrong is left out here; `load` is who tells it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack import merge
from cluster_forge.stack.catalog_port import Catalog
from cluster_forge.stack.input_files import Read
from cluster_forge.stack.resolve import Resolved, resolve
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned

DESCRIPTION: Final = "input/config.yaml"
_NOTHING: Final = Positioned({}, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What there is to choose from: the components and collections as they resolve, and the environments."""

    resolved: Resolved
    environments: tuple[str, ...] = ()

    @property
    def components(self) -> tuple[str, ...]:
        """Every component: those of the stack, then those that are only defined."""
        return tuple(dict.fromkeys((*self.resolved.stack, *self.resolved.known)))

    def needs(self, name: str) -> tuple[str, ...]:
        """What a component says that it needs, of what there is."""
        entry = self.resolved.known.get(name)
        found = (str(need.content) for need in entry.merged.strings("needs")) if entry else ()
        return tuple(need for need in found if need in self.resolved.known)

    def with_needs(self, names: Iterable[str]) -> tuple[str, ...]:
        """The components that the names stand for and all that these need, in the order of `components`."""
        found: dict[str, None] = {}
        waiting = [member for name in names for member in self.resolved.members(name)]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = None
                waiting.extend(self.needs(name))
        return tuple(name for name in self.components if name in found)


def read(
    read_file: Read, environment: str | None = None, path: str = DESCRIPTION, catalog: Catalog | None = None
) -> Names:
    """The names in the description at ``path``, with ``environment`` laid over it; none where it cannot be read."""
    reading = _Reading(read_file, environment)
    layers = [layer for layer in reading.layers(path, ()) if isinstance(layer.content, Mapping)]
    description = merge.without_nulls(merge.positioned(_NOTHING, *layers))
    return Names(resolved=resolve(description, [], catalog=catalog), environments=tuple(reading.environments))


@dataclass(slots=True)
class _Reading:
    read_file: Read
    environment: str | None
    environments: dict[str, None] = field(default_factory=dict)

    def layers(self, path: str, above: tuple[str, ...]) -> Iterator[Positioned]:
        """What the file extends, earliest first, and the file, each with the environment laid over it."""
        for document in self._documents(path) if path not in above else ():
            if isinstance(document.content, tuple):
                yield _of_list(document)
                continue
            for base in document.strings("extends"):
                inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), str(base.content)))
                yield from self.layers(inner, (*above, path))
            section = document.get("environments")
            environments = section.mapping if section else {}
            self.environments.update(dict.fromkeys(environments))
            overlay = environments.get(self.environment or "")
            yield merge.positioned(document, overlay) if overlay else document

    def _documents(self, path: str) -> list[Positioned]:
        try:
            content = self.read_file(path)
            return [found.root for found in positioned_reader.read_all(content, path)] if content is not None else []
        except (ForgeError, ExceptionGroup):
            return []


def _of_list(document: Positioned) -> Positioned:
    """A list of the first format: every entry is a component of the stack, or a collection."""
    entries = [entry for entry in document.items if (name := entry.get("name")) is not None and name.string]
    collections = {str(entry.at(("name",)).content): entry.at(("collection",)) for entry in entries if _is_one(entry)}
    components = tuple(entry for entry in entries if not _is_one(entry))
    return Positioned.of({"components": components, "collections": collections}, document)


def _is_one(entry: Positioned) -> bool:
    return entry.get("collection") is not None
