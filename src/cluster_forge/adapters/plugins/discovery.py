"""Which plug-ins are installed beside this program: entry points of packages, found without importing any of them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from cluster_forge.ports.plugins import PluginKind

_NAME: Final = re.compile(r"[a-z][a-z0-9]*([-.][a-z0-9]+)*")
_REQUIRED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlugin:
    """A plug-in by its entry point, ``target`` (``module:attribute``), and its package; ``problem``: why it cannot be used."""

    kind: PluginKind
    name: str
    package: str
    version: str
    target: str
    problem: str = ""

    @property
    def module(self) -> str:
        """The top-level package or module."""
        return self.target.partition(":")[0].partition(".")[0]


def search_path() -> list[str]:
    """Where packages are installed: `sys.path` without the current folder, which ``python -m`` puts there and which may be a
    workspace of others.
    """
    current = Path.cwd()
    return [place for place in sys.path if place and Path(place).resolve() != current]


def find(path: Iterable[str]) -> Mapping[PluginKind, Sequence[FoundPlugin]]:
    """The plug-ins of each kind, by name. A name that two packages have is none of theirs: both have a problem."""
    plugins = sorted(_entry_points(path), key=lambda plugin: (plugin.name, plugin.package))
    packages = Counter((plugin.kind, plugin.name) for plugin in plugins)
    judged = [_judged(plugin, is_alone=packages[plugin.kind, plugin.name] == 1) for plugin in plugins]
    return {kind: [plugin for plugin in judged if plugin.kind is kind] for kind in PluginKind}


def identity(plugin: FoundPlugin, path: Iterable[str]) -> str:
    """``package version digest``: over the files of its top-level package, and the versions of all packages that its own requires."""
    digest = hashlib.sha256()
    path = list(path)
    for name, content in sorted(_files(plugin.module, path)):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    for name, version in sorted(_required(plugin.package, path).items()):
        digest.update(f"{name} {version}\n".encode())
    return f"{plugin.package} {plugin.version} {digest.hexdigest()}"


def _entry_points(path: Iterable[str]) -> Iterator[FoundPlugin]:
    from importlib import metadata  # noqa: PLC0415 - 20 ms, for who names a plug-in

    groups = {f"cluster_forge.{kind}": kind for kind in PluginKind}
    seen: set[str] = set()
    for package in metadata.distributions(path=list(path)):
        entries = [entry for entry in package.entry_points if entry.group in groups]
        name = _normal(package.metadata["Name"] or "") if entries else ""  # reading metadata takes 1 ms a package
        if not name or name in seen:
            continue
        seen.add(name)  # the first on the path counts, as for imports
        for entry in entries:
            yield FoundPlugin(
                kind=groups[entry.group],
                name=entry.name,
                package=name,
                version=package.version or "",
                target=f"{entry.module}:{entry.attr}" if entry.attr else entry.module,
            )


def _judged(plugin: FoundPlugin, *, is_alone: bool) -> FoundPlugin:
    problem = ""
    if not _NAME.fullmatch(plugin.name):
        problem = f"{plugin.name!r} is not the name of a plug-in: lower-case letters, digits, hyphens and dots"
    elif not is_alone:
        problem = "several packages have a plug-in of this name"
    return FoundPlugin(
        kind=plugin.kind,
        name=plugin.name,
        package=plugin.package,
        version=plugin.version,
        target=plugin.target,
        problem=problem,
    )


def _files(module: str, path: list[str]) -> Iterator[tuple[str, bytes]]:
    """The files of a top-level package or module, by their paths in it."""
    spec = PathFinder.find_spec(module, path) or importlib.util.find_spec(module)  # the second: editable installations
    if spec is None:
        return
    for folder in map(Path, spec.submodule_search_locations or ()):
        for below, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                file = Path(below, name)
                if not name.endswith(".pyc") and file.is_file():
                    yield file.relative_to(folder).as_posix(), file.read_bytes()
    if not spec.submodule_search_locations and spec.origin and Path(spec.origin).is_file():
        yield Path(spec.origin).name, Path(spec.origin).read_bytes()


def _required(package: str, path: list[str]) -> dict[str, str]:
    """The versions of the packages that one requires, and of what these require; what is not installed is left out."""
    from importlib import metadata  # noqa: PLC0415 - as above

    versions: dict[str, str] = {}
    waiting = [package]
    while waiting:
        name = waiting.pop()
        installed = next(iter(metadata.distributions(name=name, path=path)), None)
        if installed is None or name in versions:
            continue
        versions[name] = installed.version or ""
        for line in installed.requires or ():
            required = _REQUIRED.match(line)
            if required and "extra ==" not in line:
                waiting.append(_normal(required[0]))
    del versions[package]
    return versions


def _normal(name: str) -> str:
    """The name of a package as Python compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
