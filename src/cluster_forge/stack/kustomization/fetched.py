"""Kustomizations with files in the place of URLs."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from typing import Final

import orjson

from cluster_forge.stack.kustomization.references import NAMES
from cluster_forge.yaml import positioned_reader

_KEYS: Final = ("resources", "bases")


def with_files(files: Mapping[str, bytes], fetched: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files, and the content of each URL in ``fetched`` beside every kustomization that names it.

    Such a kustomization is written again as JSON, with the name of that file in the place of the URL.

    Raises:
        DescriptionError, ExceptionGroup: if a kustomization is not well-formed YAML.
    """
    placed = dict(files)
    for path, content in files.items() if fetched else ():
        if posixpath.basename(path) in NAMES:
            value = positioned_reader.read(content, path).value or {}
            named = {url for key in _KEYS for url in value.get(key) or () if url in fetched}
            for key in _KEYS if named else ():
                if key in value:
                    value[key] = [_name(entry) if entry in named else entry for entry in value[key]]
            if named:
                placed[path] = orjson.dumps(value)
            placed |= {posixpath.join(posixpath.dirname(path), _name(url)): fetched[url] for url in named}
    return placed


def _name(url: str) -> str:
    return f"fetched-{hashlib.sha256(url.encode()).hexdigest()[:16]}.yaml"
