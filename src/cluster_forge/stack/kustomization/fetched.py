"""Kustomizations with paths in the place of what was fetched for them."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from typing import Any, Final

import orjson

from cluster_forge.stack.kustomization.references import NAMES
from cluster_forge.yaml import positioned_reader

_KEYS: Final = ("resources", "bases", "components")


def name(text: str) -> str:
    """The name of the file or folder that has what a kustomization names ``text``."""
    return f"fetched-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def with_files(files: Mapping[str, bytes], fetched: Mapping[str, bytes], bases: Mapping[str, str]) -> dict[str, bytes]:
    """The files, and the content of each URL in ``fetched`` beside every kustomization that names it.

    Such a kustomization is written again as JSON, with the name of that file in the place of the URL, and with a relative
    path in the place of each of ``bases``, whose folders are given.

    Raises:
        DescriptionError, ExceptionGroup: if a kustomization is not well-formed YAML.
    """
    placed = dict(files)
    for path, content in files.items() if fetched or bases else ():
        if posixpath.basename(path) not in NAMES:
            continue
        folder = posixpath.dirname(path)
        value = positioned_reader.read(content, path).value
        named = {entry for key in _KEYS for entry in _entries(value, key) if isinstance(entry, str)}
        instead = {url: f"{name(url)}.yaml" for url in named & fetched.keys()}
        placed |= {posixpath.join(folder, file): fetched[url] for url, file in instead.items()}
        instead |= {text: posixpath.relpath(bases[text] or ".", folder or ".") for text in named & bases.keys()}
        if instead:
            changed = {
                key: [instead.get(entry, entry) if isinstance(entry, str) else entry for entry in _entries(value, key)]
                for key in _KEYS
            }
            placed[path] = orjson.dumps({**value, **{key: entries for key, entries in changed.items() if entries}})
    return placed


def _entries(value: Any, key: str) -> list[Any]:
    entries = value.get(key) if isinstance(value, dict) else None
    return entries if isinstance(entries, list) else []
