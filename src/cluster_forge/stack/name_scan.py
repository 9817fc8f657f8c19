"""The names in a description, read quickly and without errors: for prompts and shell completion.

Reads the same files as `parse`, but checks nothing and does not need pydantic. What cannot be read has no names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack import cluster_variants, merge, named_lists
from cluster_forge.stack.catalog_port import Catalog
from cluster_forge.stack.input_files import InputFiles, Read
from cluster_forge.stack.input_record import DESCRIPTION
from cluster_forge.stack.layers import LayerReader
from cluster_forge.stack.resolve import Resolved, resolve
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The components and collections that there are to choose from, and the environments."""

    resolved: Resolved
    environments: tuple[str, ...] = ()

    @property
    def components(self) -> tuple[str, ...]:
        """Every component: those of the stack, then those that are only defined."""
        return tuple(dict.fromkeys((*self.resolved.stack, *self.resolved.known)))

    def needs(self, name: str) -> tuple[str, ...]:
        """The known components in a component's ``needs``."""
        entry = self.resolved.known.get(name)
        needs = (str(need.content) for need in entry.merged.strings("needs")) if entry else ()
        return tuple(need for need in needs if need in self.resolved.known)

    def with_needs(self, names: Iterable[str]) -> tuple[str, ...]:
        """The components that the names stand for and everything that these need, in the order of `components`."""
        included: set[str] = set()
        waiting = [member for name in names for member in self.resolved.members(name)]
        while waiting:
            name = waiting.pop()
            if name not in included:
                included.add(name)
                waiting.extend(self.needs(name))
        return tuple(name for name in self.components if name in included)


def read(read_file: Read, environment: str | None = None, *, catalog: Catalog | None = None) -> Names:
    """The names in the description, with ``environment`` merged over it; none where it cannot be read."""
    description, environments = merged(InputFiles(read_file), environment)
    return Names(resolved=resolve(description, [], catalog=catalog), environments=environments)


def merged(files: InputFiles, environment: str | None = None) -> tuple[Positioned, tuple[str, ...]]:
    """The merged description in the native format, unchecked, and what ``environment`` may be: an environment that it
    defines, or a cluster with variables.
    """
    ignored: list[ForgeError] = []
    documents = files.documents(DESCRIPTION, ignored) or []
    lists = [document for document in documents if isinstance(document.content, tuple)]
    if lists:
        return _native(lists), ()
    reader = LayerReader(files, environment, ignored)
    layers = reader.layers(DESCRIPTION, documents) if documents else []
    if cluster := cluster_variants.of(environment, [layer for layer in layers if isinstance(layer.content, Mapping)]):
        reader = LayerReader(files, cluster.environment or None, ignored)
        layers = reader.layers(DESCRIPTION, documents)
    mappings = [layer for layer in layers if isinstance(layer.content, Mapping)]
    environments = (*reader.environments, *cluster_variants.names(mappings))
    description = named_lists.composed((Positioned({}, ""), *mappings), ignored).description
    return merge.without_nulls(description), environments


def _native(lists: Iterable[Positioned]) -> Positioned:
    """A list in the legacy format: every entry is a component of the stack, or a collection."""
    entries = [entry for listed in lists for entry in listed.items if (name := entry.get("name")) and name.string]
    collections = {
        str(entry.at(("name",)).content): members
        for entry in entries
        if (members := entry.get("collection")) is not None
    }
    components = tuple(entry for entry in entries if entry.get("collection") is None)
    return Positioned.of({"components": components, "collections": collections}, Positioned((), DESCRIPTION))
