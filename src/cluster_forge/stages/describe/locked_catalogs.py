"""Catalogs in Git or a registry: part of the description, read as locked; `mine` and `forge` fetch and lock what is missing."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, partial

from cluster_forge.foundation import tree_archives
from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.sources import Sources, fetch_catalog
from cluster_forge.ports.storage import Store
from cluster_forge.stack import catalog_addresses
from cluster_forge.stack.catalog_addresses import CatalogAddress
from cluster_forge.stack.input_record import InputSource
from cluster_forge.stack.lock import Lock, LockedSource
from cluster_forge.yaml.positioned import Positioned


class LockedCatalogs:
    """The files of ``source``, and those of the locked catalogs, each below its address."""

    def __init__(self, source: InputSource, lock: Lock, store: Store) -> None:
        self._source = source
        self._lock = lock
        self._store = store

    def read(self, path: str) -> bytes | None:
        catalog = self._catalog(path)
        return catalog[0].files.get(catalog[1]) if catalog else self._source.read(path)

    def list_files(self, path: str) -> Sequence[str] | None:
        catalog = self._catalog(path)
        if catalog is None:
            return self._source.list_files(path)
        tree, inside = catalog
        return [f"{path}/{name.removeprefix(f'{inside}/')}" for name in tree if name.startswith(f"{inside}/")] or None

    def _catalog(self, path: str) -> tuple[FileTree, str] | None:
        """The catalog that a path is in, and the path in its files; None for a path in the workspace."""
        for root, (address, tree) in self._trees.items():
            if path.startswith(f"{root}/"):
                return tree, posixpath.join(address.path, path[len(root) + 1 :])
        return None

    @cached_property
    def _trees(self) -> dict[str, tuple[CatalogAddress, FileTree]]:
        """The files of every locked catalog that the store of this machine has, by the address with its REF or tag.

        ``repo:v1//path`` is before ``repo:v1``, which its files seem to be in, too.
        """
        trees = {}
        for locked in self._lock.catalogs:
            address = catalog_addresses.of_lock(locked.address, locked.asked)
            content = self._store.get(locked.digest)
            if content is not None:
                trees[str(address)] = (address, tree_archives.unpacked(content, str(address)))
        return dict(sorted(trees.items(), reverse=True))


def mined_catalogs(description: Positioned, lock: Lock, sources: Sources, *, update: bool) -> tuple[LockedSource, ...]:
    """The catalogs elsewhere that the description names, fetched and locked; ``update``: all are resolved again.

    Raises:
        DescriptionError, FetchError, OfflineError, LockError, ExceptionGroup: for each that cannot be fetched, with its line.
    """

    def fetch(named: Positioned, address: CatalogAddress) -> LockedSource:
        try:
            return fetch_catalog(sources, str(named.content), None if update else lock.catalog(address))
        except ForgeError as error:
            fix = error.fix.replace("mine --update NAME", "mine --update") if error.fix else None
            raise type(error)(f"catalog: {error.message}", where=named.where, fix=fix) from error

    return tuple(gathered(partial(fetch, *catalog) for catalog in _elsewhere(description.strings("catalogs"))))


def _elsewhere(catalogs: Iterable[Positioned]) -> Iterator[tuple[Positioned, CatalogAddress]]:
    """The catalogs that are fetched; what is wrong with an address is said when the description is read."""
    for named in catalogs:
        if catalog_addresses.is_fetched(str(named.content)):
            with suppress(ValueError):
                yield named, catalog_addresses.parse(str(named.content))
