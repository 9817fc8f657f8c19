"""The names in the packaged catalog, read without pydantic: for prompts and shell completion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.resources import files

from cluster_forge.stack.catalog_port import CompletedStack, Frame, NoCatalog
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned

_ENDING = ".yaml"


class NameIndex(NoCatalog):
    """`stack.catalog_port.Catalog` that knows names of components and collections, but not what they need."""

    def names(self) -> Sequence[str]:
        return self._names

    def collections(self) -> Mapping[str, Sequence[str]]:
        content = (files("cluster_forge.catalog") / "data" / "collections.yaml").read_bytes()
        return {
            name: collection["members"]
            for name, collection in positioned_reader.read(content, "catalog:collections").value.items()
        }

    def completed(
        self,
        stack: Mapping[str, str],
        own: Mapping[str, Positioned],
        frame: Frame,  # noqa: ARG002 - the protocol's signature
    ) -> CompletedStack:
        layers = {
            name: (Positioned.of({"name": name}, Positioned({}, f"catalog:{name}")),)
            for name in stack
            if name in self._names and name not in own
        }
        return CompletedStack(stack=tuple(stack), layers=layers)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        folder = files("cluster_forge.catalog") / "data" / "components"
        return tuple(
            sorted(file.name.removesuffix(_ENDING) for file in folder.iterdir() if file.name.endswith(_ENDING))
        )
