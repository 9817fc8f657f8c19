"""What a chart says about its values: the defaults of it and of the charts in it, and the names in its templates and schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.chart_archives import ChartArchive
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.foundation.names import nearest
from cluster_forge.foundation.untyped import mapping
from cluster_forge.ports.rendering import YamlReader
from cluster_forge.stack import merge
from cluster_forge.stages.check.rendering.value_effects import Keys, leaves

_MOST: Final = 5 << 20
"""Bytes of a file that are read."""
_DEEPEST: Final = 5
_NO_TEXT: Final = ("Chart.yaml", "Chart.lock", "values.yaml", ".md")
_WHOLE: Final = re.compile(r"\.Values(?![\w.])")
_ACTION: Final = re.compile(r"\{\{(?!-?\s*(?:else\s+)?if\b)[^{}]*?\.Values\.([\w.]+)[^{}]*?\}\}")
"""An action that reads a value, and does not only ask whether it is there."""
_READ: Final = re.compile(r"\.Values\.([\w.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartKnowledge:
    """``defaults`` as the chart's templates see them without values of the user; ``text`` is that of its templates, of its other
    files, and of its schemas.
    """

    defaults: Mapping[str, Any]
    text: str
    subcharts: frozenset[str]

    @classmethod
    def of(cls, chart: bytes, reader: YamlReader) -> Self:
        """What the chart in an archive says.

        Raises:
            ArchiveError, ManifestError: if it cannot be read.
        """
        files = dict(_files(chart_archives.opened(chart), "", _DEEPEST))
        names = (path for path in files if not path.endswith(_NO_TEXT) and "/crds/" not in f"/{path}")
        text = "\n".join(files[path] for path in sorted(names))
        return cls(
            defaults=_defaults(files, "", reader),
            text=text,
            subcharts=frozenset(_subcharts(files, "", reader).values()),
        )

    def default(self, keys: Keys) -> tuple[bool, Any]:
        """Whether there is a default at a path, and which."""
        value: Any = self.defaults
        for key in keys:
            if not isinstance(value, Mapping) or key not in value:
                return False, None
            value = value[key]
        return True, value

    def unknown(self, keys: Keys) -> Keys | None:
        """The first part of a path that the chart does not know; None if it may know all of it."""
        for length in range(1, len(keys) + 1):
            part = keys[:length]
            if self.default(part)[0]:
                continue
            parent = self.default(part[:-1])[1]
            is_open = length > 1 and not (isinstance(parent, Mapping) and parent)
            return None if is_open or self._names(part) or self._takes_whole(part[:-1]) else part
        return None

    def nearest(self, keys: Keys) -> Keys | None:
        """The path that may be meant instead of an unknown one: a similar key beside it, or the same key elsewhere."""
        beside = mapping(self.default(keys[:-1])[1])
        near = nearest(keys[-1], map(str, beside))
        if near:
            return (*keys[:-1], near)
        elsewhere = {path[: path.index(keys[-1]) + 1] for path, _ in leaves(self.defaults) if keys[-1] in path}
        return elsewhere.pop() if len(elsewhere) == 1 else None

    def _names(self, part: Keys) -> bool:
        """Whether the text has the last key of a path as the name of a value or of a member."""
        key = re.escape(part[-1])
        is_top = len(part) == 1 or (len(part) == 2 and part[0] in self.subcharts)
        start = r"\.Values\." if is_top and not _WHOLE.search(self.text) else r"\."
        return bool(re.search(rf"""(?:{start}|["'`]){key}(?![\w-])""", self.text))

    def _takes_whole(self, part: Keys) -> bool:
        """Whether a template takes the table at a path, or one above it, as a whole."""
        ways = [part, part[1:]] if part and part[0] in self.subcharts else [part]
        tables = {".".join(way[:length]) for way in ways for length in range(1, len(way) + 1)}
        return any(read[1] in tables for action in _ACTION.finditer(self.text) for read in _READ.finditer(action[0]))


def _files(archive: ChartArchive, folder: str, depth: int) -> Iterator[tuple[str, str]]:
    """The texts of a chart by their paths in it, those of packed subcharts in ``charts/<file>/``."""
    for name, member in archive.files():
        path = folder + name.partition("/")[2]
        if chart_archives.is_packed(name):
            if depth:
                try:
                    inner = chart_archives.opened(archive.read(member))
                except ArchiveError:
                    continue
                yield from _files(inner, f"{path.removesuffix('.tgz')}/", depth - 1)
        elif member.size <= _MOST:
            yield path, archive.read(member).decode(errors="replace")


def _subcharts(files: Mapping[str, str], folder: str, reader: YamlReader) -> dict[str, str]:
    """The keys of subcharts in the values, by the folder of each."""
    start = f"{folder}charts/"
    metadata = mapping(reader.read(files.get(f"{folder}Chart.yaml", "")))
    old = mapping(reader.read(files.get(f"{folder}requirements.yaml", "")))
    declared = [mapping(one) for one in (*_list(metadata.get("dependencies")), *_list(old.get("dependencies")))]
    keys: dict[str, str] = {}
    for sub in sorted({path.removeprefix(start).partition("/")[0] for path in files if path.startswith(start)}):
        name = str(mapping(reader.read(files.get(f"{start}{sub}/Chart.yaml", ""))).get("name") or sub)
        aliases = [str(one.get("alias") or name) for one in declared if one.get("name") == name]
        for number, key in enumerate(aliases or [name]):
            keys[f"{start}{sub}/" + "#" * number] = key
    return keys


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _defaults(files: Mapping[str, str], folder: str, reader: YamlReader, depth: int = _DEEPEST) -> dict[str, Any]:
    below: dict[str, Any] = {}
    if depth:
        for place, key in _subcharts(files, folder, reader).items():
            below[key] = _defaults(files, place.rstrip("#"), reader, depth - 1)
    return merge.values(below, mapping(reader.read(files.get(f"{folder}values.yaml", ""))))
