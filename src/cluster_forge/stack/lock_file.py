"""The lock as a file.

One fact on each line, everything sorted, a blank line between components: Git merges the changes of two branches by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import leaves, raise_all
from cluster_forge.foundation.errors import DescriptionError, ForgeError, LockError
from cluster_forge.foundation.names import ComponentName, did_you_mean
from cluster_forge.stack import catalog_addresses
from cluster_forge.stack.lock import FILE, Lock, LockedComponent, LockedSource
from cluster_forge.yaml import document_writer as text
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.conflict_markers import conflict_line
from cluster_forge.yaml.positioned import Positioned

_VERSION: Final = 1
_HEADER: Final = """\
# Written by `cluster-forge mine`: what every component was made from, down to the bytes. Commit this file.
# `cluster-forge mine --update [NAME]` moves it to newer versions; do not edit it by hand.
"""
_RESTORE: Final = "restore the file from Git, or delete it and run `cluster-forge mine`"


def emit(lock: Lock) -> str:
    """The text of the lock file."""
    return "".join(f"{line}\n" for line in _lines(lock))


def parse(content: str, file: str = FILE) -> Lock:
    """Read a lock file; an empty one is an empty lock.

    Raises:
        LockError, ExceptionGroup: with ``file:line``, for everything that `emit` does not write.
    """
    conflict = conflict_line(content)
    if conflict is not None:
        raise LockError(
            "the lock has a merge conflict",
            where=f"{file}:{conflict}",
            fix="choose one version (`git checkout --ours cluster-forge.lock`), then run `cluster-forge mine`",
        )
    try:
        document = positioned_reader.read(content.encode(), file).root
    except (DescriptionError, ExceptionGroup) as error:
        raise_all(_as_lock_error(leaf) for leaf in leaves(error) if isinstance(leaf, ForgeError))
        raise
    return _LockReader().lock(document)


def _lines(lock: Lock) -> Iterator[str]:
    yield from _HEADER.splitlines()
    yield f"version: {_VERSION}"
    if lock.base:
        yield "image:"
        yield "  base:"
        yield from text.mapping(_fields(lock.base), "    ")
    if lock.catalogs:
        yield "catalogs:"
        yield from text.sequence([_fields(catalog) for catalog in lock.catalogs])
    yield "components:" if lock.components else "components: {}"
    for index, component in enumerate(lock.components.values()):
        if index:
            yield ""
        sources = [_fields(source) for source in component.sources]
        body: dict[str, Any] = {"rendered": str(component.rendered)} if component.rendered else {}
        if component.inputs:
            body["inputs"] = str(component.inputs)
        if component.required_apis:
            body["asks"] = list(component.required_apis)
        if component.remarks:
            body["remarks"] = list(component.remarks)
        yield f"  {text.scalar(component.name)}:" if sources or body else f"  {text.scalar(component.name)}: {{}}"
        yield from text.mapping(body, "    ")
        if sources:
            yield "    sources:"
            yield from text.sequence(sources, "    ")


def _fields(source: LockedSource) -> dict[str, str]:
    fields = {
        "address": source.address,
        "asked": source.asked,
        "version": source.version,
        "digest": str(source.digest),
    }
    return {key: value for key, value in fields.items() if value or key == "address"}


def _as_lock_error(error: ForgeError) -> LockError:
    return LockError(f"the lock is damaged: {error.message}", where=error.where, fix=_RESTORE)


class _LockReader:
    """Collects every error before it raises them."""

    def __init__(self) -> None:
        self._errors: list[ForgeError] = []

    def lock(self, document: Positioned) -> Lock:
        if document.content is None:
            return Lock()
        top = self._members(
            document, ("version", "image", "catalogs", "components"), required=("version", "components")
        )
        version = top.get("version")
        if version and version.content != _VERSION:
            newer = isinstance(version.content, int) and version.content > _VERSION
            fix = "upgrade cluster-forge" if newer else _RESTORE
            raise LockError(
                f"a lock of version {version.content} cannot be read; this cluster-forge reads version {_VERSION}",
                where=version.where,
                fix=fix,
            )
        bodies = self._mapping(top["components"]) if "components" in top else {}
        components = [self._component(name, body) for name, body in bodies.items()]
        base = self._base(top["image"]) if "image" in top else None
        catalogs = [self._catalog(item) for item in self._items(top.get("catalogs"))]
        raise_all(self._errors)
        return Lock(
            {component.name: component for component in components if component}, base, tuple(filter(None, catalogs))
        )

    def _catalog(self, item: Positioned) -> LockedSource | None:
        catalog = self._source(item)
        try:
            return catalog and replace(catalog, address=catalog_addresses.of_lock(catalog.address, catalog.asked).key)
        except ValueError as error:
            self._wrong(item, f"{catalog and catalog.address}: {error}")
            return None

    def _base(self, image: Positioned) -> LockedSource | None:
        members = self._members(image, ("base",), required=("base",))
        base = self._source(members["base"]) if "base" in members else None
        if base:
            try:
                Digest.parse(base.version)
            except ValueError as error:
                self._wrong(members["base"], f"the version of the base image is {error}")
        return base

    def _component(self, name: str, body: Positioned) -> LockedComponent | None:
        members = self._members(body, ("rendered", "inputs", "asks", "remarks", "sources"))
        rendered, inputs = members.get("rendered"), members.get("inputs")
        sources = [self._source(item) for item in self._items(members.get("sources"))]
        keys = [(source.address, source.asked) for source in sources if source]
        if len(set(keys)) < len(keys):
            self._wrong(body, f"{name} has the same source twice")
        try:
            return LockedComponent(
                name=ComponentName(name),
                sources=tuple(source for source in sources if source),
                rendered=self._digest(rendered) if rendered else None,
                inputs=self._digest(inputs) if inputs else None,
                required_apis=tuple(self._string(item) for item in self._items(members.get("asks"))),
                remarks=tuple(self._string(item) for item in self._items(members.get("remarks"))),
            )
        except ValueError as error:
            self._wrong(body, str(error))
            return None

    def _source(self, item: Positioned) -> LockedSource | None:
        members = self._members(item, ("address", "asked", "version", "digest"), required=("address", "digest"))
        digest = self._digest(members["digest"]) if "digest" in members else None
        address = self._string(members.get("address"))
        if digest is None or not address:
            return None
        return LockedSource(
            address=address,
            asked=self._string(members.get("asked")),
            version=self._string(members.get("version")),
            digest=digest,
        )

    def _members(
        self, value: Positioned, known: tuple[str, ...], *, required: tuple[str, ...] = ()
    ) -> Mapping[str, Positioned]:
        members = self._mapping(value)
        for key, member in members.items():
            if key not in known:
                self._wrong(member, f"unknown key {key!r}{did_you_mean(key, known)}")
        for key in required:
            if key not in members and isinstance(value.content, Mapping):
                self._wrong(value, f"{key!r} is missing")
        return members

    def _mapping(self, value: Positioned) -> Mapping[str, Positioned]:
        if not isinstance(value.content, Mapping):
            self._wrong(value, "expected a mapping")
        return value.mapping

    def _items(self, value: Positioned | None) -> Iterable[Positioned]:
        if value is None:
            return ()
        if not isinstance(value.content, tuple):
            self._wrong(value, "expected a list")
        return value.items

    def _string(self, value: Positioned | None) -> str:
        if value is None:
            return ""
        if value.string is None:
            self._wrong(value, "expected text")
        return value.string or ""

    def _digest(self, value: Positioned) -> Digest | None:
        try:
            return Digest.parse(value.text or str(value.content))
        except ValueError as error:
            self._wrong(value, str(error))
            return None

    def _wrong(self, value: Positioned, message: str) -> None:
        self._errors.append(_as_lock_error(DescriptionError(message, where=value.where)))
