"""A chart in an archive with the charts in it: what decides the values that its templates see."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.chart_archives import ChartArchive
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.manifests import split
from cluster_forge.ports.rendering import YamlReader

_DEEPEST: Final = 5
"""Archives in archives, and charts in charts."""
_METADATA: Final = ("Chart.yaml", "requirements.yaml", "values.yaml")
_READ: Final = re.compile(r"(?:charts/[^/]+/)*(?:Chart\.yaml|requirements\.yaml|values\.yaml|charts/[^/]+\.tgz)")
_BOM: Final = b"\xef\xbb\xbf"

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """An entry of ``dependencies``. ``name`` is its key in the values; each import is a path in its values and in the parent's."""

    chart: str
    name: str
    version: str = ""
    conditions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    imports: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart: its own default values, the dependencies that it declares, and the charts in its ``charts/``.

    ``folder`` is its place in the archive, ending in a slash; None in an archive of its own. ``is_split``: its values are
    several documents, of which Helm 3 reads the first.
    """

    name: str
    version: str
    values: Table
    dependencies: tuple[Dependency, ...] = ()
    charts: tuple[Chart, ...] = ()
    is_deprecated: bool = False
    folder: str | None = None
    is_split: bool = False

    def subcharts(self) -> Iterator[tuple[str, Chart, Dependency | None]]:
        """The charts in it by their keys in the values: those declared (maybe several times, by alias), then the others."""
        declared = {dependency.chart for dependency in self.dependencies}
        for dependency in self.dependencies:
            charts = [chart for chart in self.charts if chart.name == dependency.chart]
            if len(charts) > 1:  # which one is meant may depend on a range: without its own values, none is mistaken
                exact = [chart for chart in charts if chart.version == dependency.version]
                charts = exact or [replace(charts[0], values={}, charts=())]
            if charts:
                yield dependency.name, charts[0], dependency
        for chart in self.charts:
            if chart.name not in declared:
                yield chart.name, chart, None


def read(archive: ChartArchive, reader: YamlReader) -> Chart:
    """The chart in an archive.

    Raises:
        ArchiveError, ManifestError: if it is not a chart that Helm reads.
    """
    return _packed(archive, reader, _DEEPEST, is_whole=True)


def with_values(archive: ChartArchive, values: Mapping[str, Table]) -> ChartArchive:
    """The archive with other default values for the charts in these folders."""
    contents = {f"{folder}values.yaml": orjson.dumps(table) for folder, table in values.items()}
    files = ((_path(name), file) for name, file in archive.files())
    return archive.with_content({file: contents[path] for path, file in files if path in contents})


def _path(name: str) -> str:
    """The path of a file of the archive below the chart's folder."""
    return posixpath.normpath(name.partition("/")[2])


def _packed(archive: ChartArchive, reader: YamlReader, depth: int, *, is_whole: bool = False) -> Chart:
    files = {path: archive.read(file) for name, file in archive.files() if _READ.fullmatch(path := _path(name))}
    return _chart(files, "", reader, depth, is_whole=is_whole)


def _chart(files: Mapping[str, bytes], folder: str, reader: YamlReader, depth: int, *, is_whole: bool) -> Chart:
    documents = {name: _mappings(files.get(folder + name, b""), folder + name, reader) for name in _METADATA}
    metadata = {**_first(documents["Chart.yaml"]), **_first(documents["requirements.yaml"])}
    values: Table = {}
    for document in documents["values.yaml"]:
        values = merged(document, values)
    return Chart(
        name=str(metadata.get("name") or ""),
        version=str(metadata.get("version") or ""),
        values=values,
        dependencies=tuple(_dependencies(metadata.get("dependencies"))),
        charts=tuple(_charts(files, f"{folder}charts/", reader, depth - 1, is_whole=is_whole)) if depth > 1 else (),
        is_deprecated=metadata.get("deprecated") is True,
        folder=folder if is_whole else None,
        is_split=len(documents["values.yaml"]) > 1,
    )


def _charts(
    files: Mapping[str, bytes], folder: str, reader: YamlReader, depth: int, *, is_whole: bool
) -> Iterator[Chart]:
    names = sorted({path.removeprefix(folder).split("/")[0] for path in files if path.startswith(folder)})
    for name in names:
        if name.startswith(("_", ".")):
            continue
        if name.endswith(".tgz"):
            yield _packed(chart_archives.opened(files[folder + name]), reader, depth)
        elif f"{folder}{name}/Chart.yaml" in files:
            yield _chart(files, f"{folder}{name}/", reader, depth, is_whole=is_whole)


def _mappings(content: bytes, path: str, reader: YamlReader) -> list[Table]:
    """The documents of a file, each a mapping.

    Raises:
        ManifestError: if one is not YAML or not a mapping.
    """
    tables: list[Table] = []
    for document in split.written(content.removeprefix(_BOM).decode(errors="replace")):
        value = reader.read(document.text)
        if not isinstance(value, Mapping | None):
            raise ManifestError("not a mapping", where=path, fix="check the chart with `helm lint`")
        tables.append(value or {})
    return tables


def _first(tables: Sequence[Table]) -> Table:
    return tables[0] if tables else {}


def merged(over: Table, under: Table) -> dict[str, Any]:
    """Two tables, the first with precedence, as Helm's ``MergeTables``: null is a value."""
    result = dict(over)
    for key, value in under.items():
        if key not in result:
            result[key] = value
        elif isinstance(result[key], Mapping) and isinstance(value, Mapping):
            result[key] = merged(result[key], value)
    return result


def _dependencies(entries: Any) -> Iterator[Dependency]:
    for entry in entries if isinstance(entries, Sequence) else ():
        if isinstance(entry, Mapping) and entry.get("name"):
            name = str(entry["name"])
            conditions = str(entry.get("condition") or "").strip().split(",")
            tags, imports = entry.get("tags"), entry.get("import-values")
            yield Dependency(
                chart=name,
                name=str(entry.get("alias") or name),
                version=str(entry.get("version") or ""),
                conditions=tuple(filter(None, conditions)),
                tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
                imports=tuple(_imports(imports if isinstance(imports, list) else ())),
            )


def _imports(entries: Sequence[Any]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        if isinstance(entry, Mapping):
            yield str(entry.get("child")), str(entry.get("parent"))
        elif isinstance(entry, str):
            yield f"exports.{entry}", "."
