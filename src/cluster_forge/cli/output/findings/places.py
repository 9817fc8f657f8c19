"""Where a finding is in the workspace, for formats that mark a line of a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from cluster_forge.manifests.finding import Finding
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.rendering.component_sources import has_sources, sourced_folder

IsFile = Callable[[str], bool]
"""Whether the workspace has a file."""

_WHERE: Final = re.compile(r"(?P<path>[^:\n]+?)(?::(?P<line>[1-9][0-9]{0,8}))?(?::[0-9]+)?\Z")
_ROOTS: Final = ("input/", "working/", "options/")
_LOCK: Final = "cluster-forge.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file, relative to the workspace, and a line in it, counted from 1."""

    path: str
    line: int = 1


def of(finding: Finding, stack: Stack, is_file: IsFile) -> Place | None:
    """The file that the finding names; else the line of its component in the description.

    A template of a chart in ``input/`` is the file there. An object of another chart is in the sourced tree, if there is one.
    """
    named = _parsed(finding.where)
    component = next((one for one in stack.components if one.name == finding.component), None)
    if named and (named.path == _LOCK or named.path.startswith(_ROOTS)) and is_file(named.path):
        return named
    if named and component and component.helm and not component.helm.repository:
        folder = component.helm.chart.removeprefix("./").rstrip("/")
        path = f"input/{folder}/{named.path.partition('/')[2]}"
        if ".." not in path and is_file(path):
            return Place(path=path, line=named.line)
    if component and (sourced := next(filter(is_file, _sourced(finding, component)), None)):
        return Place(path=sourced)
    described = _parsed(component.where) if component else None
    return described if described and is_file(described.path) else None


def _sourced(finding: Finding, component: Component) -> Iterator[str]:
    """The files that the object may have in the sourced tree, where it may have no namespace yet."""
    if finding.object and has_sources(component):
        for identity in (finding.object, replace(finding.object, namespace="")):
            yield f"input/{sourced_folder(component)}/{identity.file_name}"


def _parsed(where: str) -> Place | None:
    match = _WHERE.match(where)
    return Place(path=match["path"], line=int(match["line"] or 1)) if match else None
