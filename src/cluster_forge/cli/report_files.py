"""Reports as they are named on the command line: files in the workspace or anywhere else, JSON or YAML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cluster_forge.cli import file_arguments
from cluster_forge.foundation.errors import DescriptionError, ManifestError

_LARGEST: Final = 128 << 20
"""Bytes of a report: one about an image has less than 10 MiB, one about a cluster of 500 images some 100."""
_LARGEST_YAML: Final = 16 << 20


def read(name: str, read_yaml: Callable[[str], Any]) -> Any:
    """The content of a report.

    Raises:
        DescriptionError: if it cannot be read, is too large, or is neither JSON nor YAML.
    """
    import orjson

    content = file_arguments.content(
        name, "the report", most=_LARGEST, path="its path", smaller="give several smaller reports, one for each image"
    )
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if content[:1] in b"{[" or len(content) > _LARGEST_YAML:
            raise DescriptionError(
                f"the file is not JSON: {error}", where=name, fix="write the report again"
            ) from error
    try:
        return read_yaml(content.decode())
    except (UnicodeDecodeError, ManifestError) as error:
        raise DescriptionError("the file is neither JSON nor YAML", where=name, fix="write the report again") from error
