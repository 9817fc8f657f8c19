"""The fingerprint of everything that a smelted stack depends on, so that cast can tell whether `working/` is of today."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Component, Stack
from cluster_forge.stages.toolbox import Pins, Toolbox, has_sources, is_url, sourced_folder


def own_files(stack: Stack, toolbox: Toolbox) -> dict[str, str]:
    """The digests of the files and folders of one's own that objects come from and no stage makes, by their paths.

    Taken before they are read: what changes after that then differs from them, and is made the next time.
    """
    made = {component.upstream.folder for component in stack.components if component.upstream}
    return _digests(_entries(stack) - made, toolbox)


def fingerprint(
    stack: Stack,
    pins: Mapping[ComponentName, Pins],
    lock: Lock,
    toolbox: Toolbox,
    own: Mapping[str, str] | None = None,
) -> Digest:
    """Over the stack as it was read, the digests of its sources, and the files and folders that its objects come from.

    ``own`` are `own_files` where these were read before. Where something stands in a file (``where``) does not count,
    and the tool's version does.
    """
    mined = {sourced_folder(component) for component in stack.components if has_sources(component)}
    known = own or {}
    paths = {path for path in mined | _entries(stack) if f"input/{path}" not in known}
    parts = {
        "stack": _plain(stack),
        "sources": {str(name): list(map(str, each.digests)) for name, each in sorted(pins.items()) if each.digests},
        "engine": toolbox.renderer.version,
        "rendered": {str(name): str(locked.rendered) for name, locked in lock.components.items() if name in pins},
        "files": {**_digests(paths, toolbox), **known},
    }
    return build.key("inputs", orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))


def _entries(stack: Stack) -> set[str]:
    """The files and folders in ``input/`` that components name."""
    return {entry.strip("/") for component in stack.components for entry in component.manifests if not is_url(entry)}


def _digests(entries: set[str], toolbox: Toolbox) -> dict[str, str]:
    paths = [f"input/{entry}" for entry in sorted(entries)]
    return dict(zip(paths, toolbox.workers.map(lambda path: _content(path, toolbox.files), paths), strict=True))


def _content(path: str, files: Workspace) -> str:
    tree = files.read_tree(path)
    if tree is not None:
        return str(tree.digest)
    return hashlib.sha256(files.read(path) or b"").hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        value = dataclasses.replace(value, where="")
    if dataclasses.is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value
