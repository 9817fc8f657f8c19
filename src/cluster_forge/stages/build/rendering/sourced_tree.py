"""The sourced tree of a component: ``input/<component>/manifests/sourced``, where `mine` keeps what it rendered.

The tree is reused instead of rendering as long as its fingerprint in the lock holds: over the digests of the sources,
the values, the target, the renderer, the required APIs that are visible, and the content of the tree. So a hand edit of
the tree is overwritten, and no time stamp matters.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain
from typing import Final

import orjson

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError, ManifestError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.manifests import duplicates
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.remark import Remark
from cluster_forge.ports.rendering import Renderer
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.component import Component
from cluster_forge.stack.lock import LockedComponent
from cluster_forge.stack.model import Target
from cluster_forge.stages.build import written_files
from cluster_forge.stages.build.rendering import render_jobs
from cluster_forge.stages.build.rendering.component_sources import ComponentSources, is_url, sourced_folder
from cluster_forge.stages.build.rendering.render_jobs import ObjectGroup
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent
from cluster_forge.stages.toolbox import Toolbox

_OBJECT_FILE = re.compile(r"[A-Za-z][A-Za-z0-9.~-]*_[^/]+\.yaml")
"""The name of an object's file: ``deployment.apps_web.yaml``, or the first implementation's ``Deployment_web.yaml``."""
ORIGINS: Final = ".origins"
"""The template, and the line in it, that each object was rendered from: what findings name. The fingerprint leaves it out."""
_HEADER: Final = "# Written by cluster-forge: the template of each object, which findings name.\n"
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
    group = render_jobs.run(render_jobs.of_folder(tree, folder, component), renderer)
    origins = _origins(files.read(f"{folder}/{ORIGINS}"), folder)
    return RenderedComponent(
        component=component,
        sourced=(replace(group, manifests=tuple(_as_rendered(one, origins) for one in group.manifests)),),
        required_apis=None if _ANY in locked.required_apis else frozenset(locked.required_apis),
        remarks=tuple(map(Remark.parse, locked.remarks)),
        reused_tree=tree.digest,
    )


def _origins(content: bytes | None, folder: str) -> Mapping[str, str]:
    """Where each object was rendered from, by the place that reading it from ``folder`` gives it."""
    lines = (content or b"").decode(errors="replace").splitlines()
    entries = (line.partition("  ") for line in lines if not line.startswith("#"))
    return {f"{folder}/{name}:1": origin for name, _, origin in entries if origin}


def _as_rendered(manifest: Manifest, origins: Mapping[str, str]) -> Manifest:
    """An object of the tree with the template or address that it was rendered from, where the tree says it."""
    origin = origins.get(manifest.provenance.origin)
    if origin is None:
        return manifest
    return replace(manifest, provenance=replace(manifest.provenance, origin=origin))


def damaged(component: Component, error: ForgeError | ExceptionGroup) -> ForgeError | ExceptionGroup:
    """The errors of `load` with the way out: the folder holds nothing but what `mine` writes."""
    fix = f"write the folder again: `cluster-forge mine {component.name}` (a copy of hand edits stays in .cluster-forge/discarded/)"
    errors = [
        ManifestError(leaf.message, where=leaf.where, fix=fix) for leaf in leaves(error) if isinstance(leaf, ForgeError)
    ]
    return errors[0] if len(errors) == 1 else ExceptionGroup(str(error), errors)


def build_tree(rendered: RenderedComponent, excluded: Collection[str] = ()) -> tuple[FileTree, RenderedComponent]:
    """The objects that are written to the tree, each a file, and the component as `load` will read it from there.

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
            files[name] = manifest
    tree = FileTree({name: manifest.text for name, manifest in files.items()})
    group = ObjectGroup(manifests=tuple(files[name] for name in tree), is_cached=rendered.is_cached)
    return tree, replace(rendered, sourced=(group,))


def with_origins(tree: FileTree, written: RenderedComponent) -> FileTree:
    """What `build_tree` made with the record of where each object was rendered from; an empty tree stays empty."""
    manifests = chain.from_iterable(group.manifests for group in written.sourced)
    lines = "".join(f"{name}  {one.provenance.origin}\n" for name, one in zip(tree, manifests, strict=True))
    return FileTree({**tree.files, ORIGINS: (_HEADER + lines).encode()}) if lines else tree


def refuse_others(folder: str, locked: LockedComponent | None, files: Workspace, *, is_upstream: bool = False) -> None:
    """Check that replacing ``folder`` loses nothing but what `mine` wrote there. Without a record, files named as `mine` and
    the first implementation name them count as such if the component is locked, and all YAML files of an `Upstream`.

    Raises:
        EditedError: if the folder has other files.
    """

    def is_former(path: str) -> bool:
        if is_upstream:
            return path.endswith(".yaml") and "/" not in path and not path.startswith(".")
        is_written = path == ORIGINS or _OBJECT_FILE.fullmatch(path) is not None
        return locked is not None and locked.rendered is not None and is_written

    fix = "move them to another folder, and name that in `manifests` if they belong to the stack; mine replaces this folder"
    written_files.refuse_others(folder, files, is_former, fix)


def is_excluded(manifest: Manifest, component: Component) -> bool:
    """Whether the component's ``exclude`` names the object."""
    return bool(component.exclude) and not exclude_names(manifest).isdisjoint(component.exclude)


def exclude_names(manifest: Manifest) -> set[str]:
    """The names of an object in ``exclude``: that of its file, and the legacy format's ``Kind_name.yaml``."""
    return {manifest.id.file_name, f"{manifest.id.kind}_{manifest.id.name}.yaml"}


def engine(component: Component, toolbox: Toolbox) -> str:
    """The engine that renders the component's sources, and its version; empty if they are taken as they are.

    Raises:
        MissingProgramError: if there is none.
    """
    if component.kustomize:
        return toolbox.kustomize.version
    return toolbox.renderer.version if component.helm else ""


def inputs(
    component: Component, sources: ComponentSources, visible_apis: Collection[str], target: Target, engine: str
) -> Digest:
    """The fingerprint in the lock (``inputs``) of everything that decides the result; ``engine``: see `engine`."""
    parts = _parts(component, sources, visible_apis, target, engine)
    order = {"later replaces": component.later_replaces, "manifests": list(filter(is_url, component.manifests))}
    return build.key("render inputs", _as_json({**parts, **order}))


def fingerprint(  # noqa: PLR0913 - everything that decides the result, and the result
    component: Component,
    sources: ComponentSources,
    *,
    visible_apis: Collection[str],
    target: Target,
    engine: str,
    tree: Digest,
) -> Digest:
    """The fingerprint in the lock (``rendered``) of `inputs` and of the tree, whose digest is ``tree``."""
    parts = _parts(component, sources, visible_apis, target, engine)
    return build.key("rendered", _as_json({**parts, "tree": str(tree)}))


def _parts(
    component: Component, sources: ComponentSources, visible_apis: Collection[str], target: Target, engine: str
) -> dict[str, object]:
    folder = {"folder": component.kustomize.folder} if component.kustomize else {}
    return {
        **folder,
        "engine": engine,
        "sources": [str(digest) for digest in sources.digests],
        "values": dict(component.values),
        "release": component.helm.release if component.helm else "",
        "namespace": component.namespace,
        "kubernetes": str(target.kubernetes),
        "visible APIs": sorted(visible_apis),
    }


def _as_json(parts: Mapping[str, object]) -> bytes:
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)


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
