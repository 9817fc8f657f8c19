"""The files of ``crds/`` folders, which Helm's library need not copy: into Go with the chart, and out of it again as JSON.

Helm does not render them, it only decides which are installed: those of disabled dependencies are not. So it gets a line
instead of each file, and what it would install is read from the archive. Templates can read the files, too (``.Files``);
then they stay. A template that prints everything it sees shows the lines, and is rendered again with the files; one that
prints only a hash of everything hashes the lines.
"""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from cluster_forge.foundation.chart_archives import ChartArchive
from cluster_forge.foundation.tar_members import Member
from cluster_forge.stack.component import Values

_CRD_FILE: Final = re.compile(r"[^/\\]+/(?:charts/[^/\\]+/)*crds/[^\\]+\.(?i:ya?ml|json)")
"""Names of files that are CRDs to Helm, if anything (Helm, ``CRDObjects``)."""
_FILES: Final = b"Files"
_FILES_WORD: Final = re.compile(rb"\bFiles\b")
_LINE: Final = "crd-7d1f0a93c24e8b56:"
"""What each line begins with; a multiple of 3 bytes, so that base64 of a line begins with that of this."""
_FORMS: Final = (_LINE, base64.b64encode(_LINE.encode()).decode(), " ".join(map(str, _LINE.encode())))
"""How templates print the content of files: as text, in JSON and YAML, and as Go's ``[]byte``."""
_BOM: Final = b"\xef\xbb\xbf"
_LARGEST: Final = 100 << 20
_LARGEST_FILE: Final = 5 << 20
"""Bytes that Helm reads of a chart, and of a file in it: it refuses larger ones itself."""


def with_lines(chart: ChartArchive, values: Values) -> tuple[ChartArchive, Mapping[str, str]]:
    """The chart with a line instead of each CRD file, and the texts of the files by their lines.

    No file is replaced if a template, also one in ``values``, may read it.
    """
    files = {file: chart.read(file) for name, file in chart.files() if _is_crd_file(name, file)}
    if not files or len(chart.tar) > _LARGEST or _LINE.encode() in chart.tar or _may_be_read(chart, values, files):
        return chart, {}
    lines: dict[Member, bytes] = {}
    texts: dict[str, str] = {}
    for file, content in files.items():
        try:
            text = content.removeprefix(_BOM).decode()
        except UnicodeDecodeError:
            continue  # what Helm makes of it is for Helm to say
        line = f"{_LINE}{len(lines)}"
        lines[file], texts[line] = line.encode(), text
    return chart.with_content(lines), texts


def are_shown(templates: Iterable[str]) -> bool:
    """Whether rendered templates show lines that are in the place of files."""
    return any(form in text for text in templates for form in _FORMS)


def _is_crd_file(name: str, file: Member) -> bool:
    return bool(_CRD_FILE.fullmatch(name)) and posixpath.normpath(name) == name and file.size <= _LARGEST_FILE


def _may_be_read(chart: ChartArchive, values: Values, crds: Mapping[Member, bytes]) -> bool:
    """Whether something may be a template that reads files; what is in a packed dependency is not searched."""
    others = ((name, chart.read(file)) for name, file in chart.files() if file not in crds)
    return _names_files(orjson.dumps(values)) or any(
        name.endswith(".tgz") or _names_files(content) for name, content in others
    )


def _names_files(content: bytes) -> bool:
    return _FILES in content and bool(_FILES_WORD.search(content))  # the quick search first
