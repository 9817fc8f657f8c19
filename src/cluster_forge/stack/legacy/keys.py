"""Keys that the legacy format's lists and ``source.yaml`` files have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.yaml.positioned import Positioned

SOURCED: Final = "manifests/sourced"
"""The folder of a component that its ``source.yaml`` describes."""

_TEXTS: Final = (
    "name",
    "namespace",
    "manifest-url",
    "helm-chart-name",
    "helm-url",
    "helm-name",
    "helm-version",
    "values",
    "values-file",
)
_OCI: Final = "oci://"


def as_written(value: Positioned) -> Positioned:
    """The mapping with its text members as they are written: ``helm-version: 1.10`` is the text 1.10, not a number."""
    if not isinstance(value.content, Mapping):
        return value
    members = {
        key: replace(member, content=member.text, text="") if key in _TEXTS and member.text else member
        for key, member in value.mapping.items()
    }
    return replace(value, content=MappingProxyType(members))


def texts(entry: Positioned, key: str) -> Iterator[Positioned]:
    """The texts of a member that is one text or a list of them."""
    member = entry.get(key)
    if member is not None:
        yield from [member] if member.string is not None else member.items


def url(entry: Positioned) -> Positioned | None:
    """``manifest-url`` without blanks around it."""
    member = entry.get("manifest-url")
    return Positioned.of(member.string.strip(), member) if member and member.string else None


def helm(entry: Positioned, release: str, errors: list[ForgeError]) -> Positioned | None:
    """The ``helm-*`` keys as ``helm``; an ``oci://`` address in ``helm-chart-name`` is repository and chart in one."""
    chart, repository = entry.get("helm-chart-name"), entry.get("helm-url")
    has_repository = repository is not None and bool(repository.content)
    if not chart or not chart.string:
        if repository and has_repository:
            errors.append(
                DescriptionError(
                    "`helm-url` without `helm-chart-name`", where=repository.where, fix="add `helm-chart-name: CHART`"
                )
            )
        return None
    native: dict[str, Any] = {"chart": chart}
    if chart.string.startswith(_OCI) and not has_repository:
        address, _, name = chart.string.rstrip("/").rpartition("/")
        native = {"repository": Positioned.of(address, chart), "chart": Positioned.of(name, chart)}
    elif has_repository:
        native = {"repository": repository, "chart": chart}
    version, written_release = entry.get("helm-version"), entry.get("helm-name")
    if version and version.content:
        native["version"] = version
    native["release"] = written_release if written_release and written_release.content else release
    return Positioned.of(native, chart)
