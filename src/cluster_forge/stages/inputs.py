"""The fingerprint of everything that a smelted stack depends on, so that cast can tell whether `working/` is of today."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from cluster_forge import __version__
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports import StackFiles
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Component, Stack
from cluster_forge.stages.means import Pins, Tools, has_sources, is_url, sourced_folder


def fingerprint(stack: Stack, pins: Mapping[ComponentName, Pins], lock: Lock, tools: Tools) -> Digest:
    """Over the stack as it was read, the digests of its sources, and the files and folders that its objects come from.

    Where something stands in a file (``where``) does not count, and the tool's version does.
    """
    entries = {entry.strip("/") for component in stack.components for entry in component.manifests if not is_url(entry)}
    mined = {sourced_folder(component) for component in stack.components if has_sources(component)}
    paths = [f"input/{entry}" for entry in sorted(entries | mined)]
    parts = {
        "tool": __version__,
        "stack": _plain(stack),
        "sources": {str(name): list(map(str, each.digests)) for name, each in sorted(pins.items()) if each.digests},
        "engine": tools.maker.version,
        "rendered": {str(name): str(locked.rendered) for name, locked in lock.components.items() if name in pins},
        "files": dict(zip(paths, tools.workers.map(lambda path: _content(path, tools.files), paths), strict=True)),
    }
    return Digest.of(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))


def _content(path: str, files: StackFiles) -> str:
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
