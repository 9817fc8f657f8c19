"""The chart's identity in its ``Chart.yaml``, read event by event: a hostile one must not exhaust the parser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import yaml

from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.ports.sources import ChartIdentity

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DEEPEST: Final = 100
"""libyaml's time grows with the square of the depth."""
_LONGEST: Final = 250
"""Characters of a name or a version, as in Helm: they are part of messages, of the lock and of labels."""
_FIX: Final = "check the chart with `helm lint`"


def identity(content: bytes, archive: str) -> ChartIdentity:
    """The identity in a ``Chart.yaml``; ``archive`` is its name in messages.

    Raises:
        ArchiveError: if it is not YAML, lacks name or version, or if one of these is too long.
    """
    fields: dict[str, str] = {}
    try:
        events = yaml.parse(content.removeprefix(b"\xef\xbb\xbf"), Loader=_LOADER)
        fields.update(_scalars(events))
    except yaml.YAMLError as error:
        raise ArchiveError(
            f"the Chart.yaml of {archive} is not YAML: {' '.join(str(error).split())[:200]}", fix=_FIX
        ) from error
    missing = [key for key in ("name", "version") if not fields.get(key)]
    if missing:
        raise ArchiveError(f"the Chart.yaml of {archive} has no {' and no '.join(missing)}", fix=_FIX)
    if long := next((key for key in ("name", "version") if len(fields[key]) > _LONGEST), None):
        raise ArchiveError(
            f"the Chart.yaml of {archive} has a {long} of {len(fields[long]):,} characters (limit {_LONGEST})", fix=_FIX
        )
    return ChartIdentity(name=fields["name"], version=fields["version"])


def _scalars(events: Iterator[yaml.Event]) -> Iterator[tuple[str, str]]:
    """The scalar members of the top-level mapping.

    Raises:
        yaml.YAMLError: also if the nesting is so deep that libyaml would not end.
    """
    depth, key = 0, None
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif depth == 1 and isinstance(event, yaml.NodeEvent):
            value = str(event.value) if isinstance(event, yaml.ScalarEvent) else ""
            if key is not None:
                yield key, value
            key = value if key is None else None
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"nesting too deep (limit {_DEEPEST})")
