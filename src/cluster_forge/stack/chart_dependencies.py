"""The dependencies that a chart's folder declares and does not have in ``charts/``: what ``helm dependency build`` fetches.

Versions are those of ``Chart.lock``; without one, the ranges of ``Chart.yaml``. Conditions, tags and aliases decide what is
rendered, not what is fetched. As in Helm, the lock must be that of the declared dependencies (``resolver.HashReq``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import DescriptionError, FetchError, ForgeError
from cluster_forge.stack.component import HelmSource
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned

_FOLDER: Final = "file://"
_OF_V1: Final = {"Chart.yaml": "requirements.yaml", "Chart.lock": "requirements.lock"}
"""Where charts of Helm 2 (``apiVersion: v1``) have them."""
_HASHED: Final = ("name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias")
"""The fields of a dependency as Go writes them into JSON (Helm, ``chart.Dependency``)."""
_ALWAYS: Final = ("name", "repository")
_MOST: Final = 200
"""Dependencies of one chart."""

Read = Callable[[str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartDependency:
    """A dependency as declared; ``where`` is the ``file:line`` of its declaration."""

    name: str
    version: str
    repository: str
    where: str = ""

    @property
    def folder(self) -> str:
        """The folder that it is in, relative to that of the chart; empty for one of a repository."""
        return self.repository.removeprefix(_FOLDER) if self.repository.startswith(_FOLDER) else ""

    @property
    def source(self) -> HelmSource:
        """The chart as one of a repository."""
        return HelmSource(repository=self.repository, chart=self.name, version=self.version, release=self.name)

    def path(self, version: str) -> str:
        """Where the archive of a version belongs, as ``helm dependency build`` names it."""
        return f"charts/{self.name}-{version}.tgz"


def missing(names: Collection[str], read: Read, shown: str) -> list[ChartDependency]:
    """The dependencies of a chart's folder that are not in its ``charts/``.

    ``names`` are the paths of its files, which ``read`` reads; ``shown`` is its name in messages.

    Raises:
        DescriptionError, ExceptionGroup: if a file is not YAML, or a dependency has no name or no address.
        FetchError: if ``Chart.lock`` is not that of ``Chart.yaml``.
    """
    declared = _declared(names, read, shown)
    return [one for one in declared if one.repository and not _is_there(one.name, names, read)]


def _declared(names: Collection[str], read: Read, shown: str) -> list[ChartDependency]:
    chart = _document(names, read, shown, "Chart.yaml")
    if chart is None:
        return []
    is_v1 = chart.string_of("apiVersion") == "v1"
    described = _document(names, read, shown, _OF_V1["Chart.yaml"]) if is_v1 else chart
    lock = _document(names, read, shown, _OF_V1["Chart.lock"] if is_v1 else "Chart.lock")
    items = _dependencies(described, shown)
    if lock is not None and items:
        locked = _dependencies(lock, shown)
        if not is_v1 and lock.string_of("digest") != _digest(items, locked):
            raise FetchError(
                f"{shown}: Chart.lock is not that of the dependencies in Chart.yaml",
                where=lock.where,
                fix="write it again: `helm dependency update`",
            )
        items = locked
    errors: list[ForgeError] = []
    dependencies = [_dependency(item, shown, errors) for item in items]
    raise_all(errors)
    return list({(one.name, one.version, one.repository): one for one in dependencies if one}.values())


def _document(names: Collection[str], read: Read, shown: str, path: str) -> Positioned | None:
    return positioned_reader.read(read(path), f"{shown}/{path}").root if path in names else None


def _dependencies(document: Positioned | None, shown: str) -> list[Positioned]:
    listed = document.get("dependencies") if document else None
    if listed is None:
        return []
    if len(listed.items) > _MOST:
        raise DescriptionError(
            f"{shown}: it declares {len(listed.items):,} dependencies, and {_MOST} are allowed",
            where=listed.where,
            fix="put some of them into a chart of their own, and depend on that",
        )
    return list(listed.items)


def _dependency(item: Positioned, shown: str, errors: list[ForgeError]) -> ChartDependency | None:
    name, repository = item.string_of("name"), item.string_of("repository")
    if not name or "/" in name or name.startswith("."):
        problem = f"{name!r} is not the name of a chart" if name else "a dependency has no name"
        errors.append(DescriptionError(f"{shown}: {problem}", where=item.where, fix="write the `name` of the chart"))
        return None
    if repository.startswith(("@", "alias:")):
        errors.append(
            DescriptionError(
                f"{shown}: the repository of {name}, {repository}, is a name of `helm repo add` on another machine",
                where=item.where,
                fix="write its address (`helm repo list` shows it), then `helm dependency update`",
            )
        )
        return None
    version = item.get("version")
    return ChartDependency(
        name=name,
        version=str(version.content) if version and version.content is not None else "",
        repository=repository.rstrip("/"),
        where=item.where,
    )


def _is_there(name: str, names: Collection[str], read: Read) -> bool:
    """Whether ``charts/`` has a folder or an archive of that chart."""
    archive = re.compile(rf"charts/{re.escape(name)}-v?\d[^/]*\.tgz")
    of_that_name = re.compile(rb"(?m)^name:[ \t]*[\"']?" + re.escape(name.encode()) + rb"[\"']?[ \t\r]*(?:#|$)")
    folders = (path for path in names if re.fullmatch(r"charts/[^/]+/Chart\.yaml", path))
    return any(map(archive.fullmatch, names)) or any(of_that_name.search(read(path)) for path in folders)


def _digest(required: list[Positioned], locked: list[Positioned]) -> str:
    """The digest that Helm writes into ``Chart.lock``: of the JSON of both lists, as Go writes it."""
    text = json.dumps([_as_go(required), _as_go(locked)], separators=(",", ":"), ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return f"sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def _as_go(dependencies: list[Positioned]) -> list[dict[str, Any]]:
    plain = [dependency.plain for dependency in dependencies]
    return [
        {key: _sorted(one.get(key, "")) for key in _HASHED if one.get(key) or key in _ALWAYS}
        for one in plain
        if isinstance(one, dict)
    ]


def _sorted(value: Any) -> Any:
    """A value with the keys of mappings sorted, as Go does."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
