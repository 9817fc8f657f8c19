"""A chart in an archive with the charts in it: what decides the values that its templates see."""

from __future__ import annotations

import errno
import gzip
import io
import posixpath
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from cluster_forge.foundation import gzip_limit
from cluster_forge.foundation.errors import ArchiveError, ManifestError
from cluster_forge.manifests import split
from cluster_forge.ports.rendering import YamlReader

_DEEPEST: Final = 5
"""Archives in archives, and charts in charts."""
_LARGEST: Final = 200 << 20
"""Bytes of an unpacked archive; Helm takes 100 MiB."""
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


def read(archive: bytes, reader: YamlReader) -> Chart:
    """The chart in an archive (``.tgz``).

    Raises:
        ArchiveError, ManifestError: if it is not a chart that Helm reads.
    """
    return _packed(archive, reader, _DEEPEST, is_whole=True)


def with_values(archive: bytes, values: Mapping[str, Table]) -> bytes:
    """The archive with other default values for the charts in these folders."""
    buffer = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as members,
        tarfile.open(fileobj=buffer, mode="w") as changed,
    ):
        for member in members:
            folder, name = posixpath.split(_path(member))
            content = values.get(f"{folder}/" if folder else "") if name == "values.yaml" else None
            if content is None:
                changed.addfile(member, members.extractfile(member) if member.isreg() else None)
            else:
                text = orjson.dumps(content)
                member.size = len(text)
                member.pax_headers = {key: value for key, value in member.pax_headers.items() if key != "size"}
                changed.addfile(member, io.BytesIO(text))
    return gzip.compress(buffer.getvalue(), compresslevel=0, mtime=0)


def _path(member: tarfile.TarInfo) -> str:
    """The path of a file below the chart's folder."""
    return posixpath.normpath(member.name.partition("/")[2])


def _unpacked(archive: bytes) -> bytes:
    """The content of an archive, which may be one in an archive: nothing else has looked at its size.

    Raises:
        OSError, EOFError, zlib.error: if it is damaged, or larger than `_LARGEST`.
    """
    content = gzip_limit.unpacked(archive, _LARGEST)
    if content is None:
        raise OSError(errno.EFBIG, f"more than {_LARGEST >> 20} MiB unpacked")
    return content


def _packed(archive: bytes, reader: YamlReader, depth: int, *, is_whole: bool = False) -> Chart:
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(_unpacked(archive))) as members:
            for member in members:
                path = _path(member)
                file = members.extractfile(member) if member.isreg() and _READ.fullmatch(path) else None
                if file is not None:
                    files[path] = file.read()
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise ArchiveError(f"not a chart: {error}", fix="check the chart with `helm lint`") from error
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
            yield _packed(files[folder + name], reader, depth)
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
