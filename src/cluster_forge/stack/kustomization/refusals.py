"""What kustomize would run or fetch by itself, and a build that is to be the same tomorrow must not: one error each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.foundation.addresses import masked, without_credentials
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.git_addresses import EXAMPLE
from cluster_forge.stack.kustomization import remotes
from cluster_forge.stack.kustomization.references import BUILTIN, Reference, misspelled
from cluster_forge.yaml.positioned import Positioned

_HELM_KEYS: Final = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
_HELM_PLUGIN: Final = "HelmChartInflationGenerator"


def misspelled_keys(document: Positioned) -> Iterator[DescriptionError]:
    """An error for each key of which only kustomize knows what it means."""
    for key, meant, where in misspelled(document):
        yield DescriptionError(f"{key!r} is not a key of a kustomization", where=where, fix=f"write `{meant}`")


def helm_charts(document: Positioned) -> Iterator[DescriptionError]:
    """An error for each chart that kustomize would have the ``helm`` program fetch and render."""
    for key in _HELM_KEYS:
        member = document.get(key)
        if member is None or (key == "helmGlobals" and document.get("helmCharts")):
            continue
        for chart in member.items or (member,):
            yield _helm_error(chart, key)


def foreign_plugin(document: Positioned) -> DescriptionError | None:
    """The error for a generator or transformer that is not part of kustomize: a container or a program to run."""
    version, kind = document.string_of("apiVersion"), document.string_of("kind")
    if version == BUILTIN:
        return _helm_error(document, kind) if kind == _HELM_PLUGIN else None
    return DescriptionError(
        f"{kind or 'this'} ({version or 'without apiVersion'}) is a plug-in outside of kustomize, and none is run: it would be a "
        "program or a container with this user's rights",
        where=document.where,
        fix=f"use one that is part of kustomize (`apiVersion: {BUILTIN}`), or put what the plug-in writes into the folder, "
        "and name that file in `resources`",
    )


def remote(reference: Reference) -> DescriptionError:
    """The error for what kustomize would fetch, each time what is there at that time."""
    return DescriptionError(
        f"{masked(without_credentials(reference.path))} is fetched by kustomize itself, unpinned, and is not in the lock",
        where=reference.where,
        fix=f"copy it into input/, and name the path; or {_own_component(reference.path)}",
    )


def _own_component(path: str) -> str:
    address = remotes.address(path) or EXAMPLE
    if remotes.is_file(address):
        return f"name it in `manifests` of the component: `manifests: [{without_credentials(address)}]`"
    return f"write a component of its own for it: `kustomize: {masked(address)}`"


def _helm_error(chart: Positioned, key: str) -> DescriptionError:
    name, repository = chart.string_of("name") or "NAME", without_credentials(chart.string_of("repo")) or "ADDRESS"
    version = chart.get("version")
    pinned = f", version: {version.text or version.content}" if version else ""
    return DescriptionError(
        f"`{key}` would have kustomize run helm, which fetches the chart by itself",
        where=chart.where,
        fix=f"write a component for it: `helm: {{repository: {repository}, chart: {name}{pinned}}}`; its values go into `values`",
    )
