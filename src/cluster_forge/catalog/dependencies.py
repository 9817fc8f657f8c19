"""The catalog components of a stack: what they need besides, what excludes what, and which version of each fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cluster_forge.catalog.library import InInput, Library, flattened
from cluster_forge.catalog.stack_completion import StackCompletion
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack import catalog_addresses
from cluster_forge.stack.catalog_port import CompletedStack, Frame
from cluster_forge.stack.input_files import InputFiles, in_input, is_outside, outside_error
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True)
class StackCatalog:
    """`stack.catalog_port.Catalog` of a library."""

    library: Library

    def names(self) -> Sequence[str]:
        return self.library.names

    def collections(self) -> Mapping[str, Sequence[str]]:
        return {name: collection.members for name, collection in self.library.collections.items()}

    def extended(self, folders: Sequence[Positioned], files: InputFiles, errors: list[ForgeError]) -> StackCatalog:
        """The library with a user's own catalogs over it; a missing one goes into ``errors``."""
        own = []
        for named in folders:
            address = str(named.content)
            is_fetched = catalog_addresses.is_fetched(address)
            try:
                path = str(catalog_addresses.parse(address)) if is_fetched else in_input(address)
            except ValueError as error:
                shown = without_credentials(address)
                fix = f"write it like {catalog_addresses.example(address)}"
                errors.append(DescriptionError(f"{shown}: {error}", where=named.where, fix=fix))
                continue
            if not is_fetched and "://" in address:
                errors.append(_not_a_place(named))
                continue
            if not is_fetched and is_outside(path):
                errors.append(outside_error(named))
                continue
            folder = InInput(files, path)
            if not folder.is_there:
                errors.append(_no_catalog(named, folder))
            own.append(folder)
        return StackCatalog(Library((*self.library.folders, *own))) if own else self

    def completed(self, stack: Mapping[str, str], own: Mapping[str, Positioned], frame: Frame) -> CompletedStack:
        """The stack (each component with where it is named) with all that its catalog components and its engine need.

        ``own`` is what the description says about a component. One with a source of its own is the user's, even if the
        catalog has one of that name.
        """
        return StackCompletion(self.library, stack, own, frame).with_layers()


def _not_a_place(named: Positioned) -> DescriptionError:
    return DescriptionError(
        f"a catalog is a folder, in Git or in a registry, and {without_credentials(str(named.content))} is none of them",
        where=named.where,
        fix=f"write it like {catalog_addresses.example(str(named.content))}, or relative to input/",
    )


def _no_catalog(named: Positioned, folder: InInput) -> DescriptionError:
    if catalog_addresses.is_fetched(folder.root):
        return DescriptionError(
            f"the catalog {folder.root} is not locked, not in the store of this machine, or empty",
            where=named.where,
            fix="run `cluster-forge mine`, which fetches and locks it; its folder must have components/NAME.yaml",
        )
    fix = "put `components/NAME.yaml` into it, or name another folder (relative to input/)"
    return DescriptionError(f"no catalog in {folder.root}", where=named.where, fix=fix)


def needed(library: Library, names: Sequence[str], frame: Frame) -> CompletedStack:
    """The stack of these components and collections, and why they exclude each other; without layers, which is fast."""
    stack = dict.fromkeys(flattened(names, library.collections), "")
    return StackCompletion(library, stack, {}, frame).without_layers()


def completed(library: Library, names: Sequence[str], frame: Frame) -> CompletedStack:
    """The stack of these components and collections with their layers, before there is a description."""
    stack = dict.fromkeys(flattened(names, library.collections), "")
    return StackCatalog(library).completed(stack, {}, frame)
