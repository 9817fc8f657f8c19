"""The sourced tree of a component: ``input/<component>/manifests/sourced``, where `mine` keeps what it rendered.

The tree is reused instead of rendering as long as its fingerprint in the lock holds: over the digests of the sources,
the values, the target, the renderer, the required APIs that are visible, and the content of the tree. So a hand edit of
the tree is overwritten, and no time stamp matters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain

import orjson

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.manifests import duplicates
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.ports.rendering import Renderer
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.lock import LockedComponent
from cluster_forge.stack.model import Component, Target
from cluster_forge.stages.build import render_jobs
from cluster_forge.stages.build.component_sources import ComponentSources, sourced_folder
from cluster_forge.stages.build.render_jobs import ObjectGroup
from cluster_forge.stages.build.rendered_component import RenderedComponent

_ANY = "*"
"""In the lock: the chart may require any API version."""


def load(
    component: Component, locked: LockedComponent, files: Workspace, renderer: Renderer
) -> RenderedComponent | None:
    """The objects in the component's sourced tree, whether its fingerprint holds or not; None without a tree.

    Raises:
        ManifestError, ExceptionGroup: for files that do not hold Kubernetes objects.
    """
    folder = f"input/{sourced_folder(component)}"
    tree = files.read_tree(folder)
    if tree is None:
        return None
    return RenderedComponent(
        component=component,
        sourced=(render_jobs.run(render_jobs.of_folder(tree, folder, component), renderer),),
        required_apis=None if _ANY in locked.required_apis else frozenset(locked.required_apis),
        reused_tree=tree.digest,
    )


def build_tree(
    rendered: RenderedComponent, folder: str, excluded: Collection[str] = ()
) -> tuple[FileTree, RenderedComponent]:
    """The tree that is written to ``folder``, one object to a file, and the component as `load` will read it from there.

    Objects whose name is in ``excluded`` are left out. With ``later_replaces`` the later of two objects with the same
    identity from different sources is kept.
    """
    component = rendered.component
    groups = [group.manifests for group in rendered.sourced]
    if component.later_replaces and len(groups) > 1:
        groups = [duplicates.within(groups, later_replaces=True).manifests]
    files: dict[str, Manifest] = {}
    for manifest in chain.from_iterable(groups):
        if exclude_names(manifest).isdisjoint(excluded):
            name = _unused_name(manifest, files)
            provenance = Provenance(component=component.name, origin=f"{folder}/{name}:1")
            files[name] = replace(manifest, provenance=provenance)
    tree = FileTree({name: manifest.text for name, manifest in files.items()})
    group = ObjectGroup(manifests=tuple(files[name] for name in tree), is_cached=rendered.is_cached)
    return tree, replace(rendered, sourced=(group,))


def is_excluded(manifest: Manifest, component: Component) -> bool:
    """Whether the component's ``exclude`` names the object."""
    return bool(component.exclude) and not exclude_names(manifest).isdisjoint(component.exclude)


def exclude_names(manifest: Manifest) -> set[str]:
    """The names of an object in ``exclude``: that of its file, and the legacy format's ``Kind_name.yaml``."""
    return {manifest.id.file_name, f"{manifest.id.kind}_{manifest.id.name}.yaml"}


def fingerprint(  # noqa: PLR0913 - everything that decides the result
    component: Component,
    sources: ComponentSources,
    *,
    visible_apis: Collection[str],
    target: Target,
    engine: str,
    tree: Digest,
) -> Digest:
    """The fingerprint in the lock (``rendered``); ``engine`` is the renderer's version, ``tree`` the tree's digest."""
    parts = {
        "engine": engine if component.helm else "",
        "sources": [str(digest) for digest in sources.digests],
        "values": dict(component.values),
        "release": component.helm.release if component.helm else "",
        "namespace": component.namespace,
        "kubernetes": str(target.kubernetes),
        "visible APIs": sorted(visible_apis),
        "tree": str(tree),
    }
    return build.key("rendered", orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))


def locked_apis(rendered: RenderedComponent) -> tuple[str, ...]:
    """`RenderedComponent.required_apis` as the lock has it."""
    return (_ANY,) if rendered.required_apis is None else tuple(sorted(rendered.required_apis))


def _unused_name(manifest: Manifest, files: Mapping[str, Manifest]) -> str:
    """The manifest's file name, with a number if another object already has that file."""
    number, name = 1, manifest.id.file_name
    while name in files and files[name].document != manifest.document:
        number += 1
        name = f"{manifest.id.file_name.removesuffix('.yaml')}~{number}.yaml"
    return name
