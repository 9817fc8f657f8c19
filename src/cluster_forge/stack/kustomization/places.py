"""Where a kustomization has what kustomize complains about: its messages name no line, and mostly no file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack.kustomization.references import NAMES
from cluster_forge.yaml import positioned_reader

_UNKNOWN: Final = re.compile(r'unknown field "([^"]+)"')


def of_message(message: str, files: Mapping[str, bytes]) -> str | None:
    """The ``file:line`` of the key that kustomize does not know; None if the message is about something else."""
    match = _UNKNOWN.search(message)
    return next(_places(match[1], files), None) if match else None


def _places(key: str, files: Mapping[str, bytes]) -> Iterator[str]:
    for file, content in files.items():
        if posixpath.basename(file) in NAMES:
            try:
                document = positioned_reader.read(content, file).root
            except (DescriptionError, ExceptionGroup):
                continue  # kustomize reads one that is not strict YAML
            yield from (where for path, where in document.origins() if path[-1] == key)
