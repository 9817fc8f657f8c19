"""What a component's sources came to, and the folder in which `mine` keeps it.

The folder is read back instead of rendered anew as long as its fingerprint holds: over the sources' digests, the
values, the target, the toolbox, the API versions that the chart asks for and gets, and the folder's own content. So hand
edits of it do not count, and nothing depends on time stamps.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import chain

import orjson

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import duplicates
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.lock import LockedComponent
from cluster_forge.stack.model import Component, Stack
from cluster_forge.stages.build import render_jobs
from cluster_forge.stages.build.render_jobs import ObjectGroup
from cluster_forge.stages.toolbox import Pins, Toolbox, sourced_folder

_ANY = "*"
"""In the lock: the chart may ask for any API version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedComponent:
    """What the sources of a component came to.

    ``asks`` are the API versions that its chart asks for (None: it may ask for any), ``announced`` those of them that
    the stack's CRDs announced when it was rendered. ``kept`` is the digest of the folder that it was read back from,
    None where it was rendered now; ``is_cached``: nothing had to be rendered or read for it.
    """

    component: ComponentName
    groups: tuple[ObjectGroup, ...]
    required_apis: frozenset[str] | None = frozenset()
    announced: frozenset[str] = frozenset()
    kept: Digest | None = None
    is_cached: bool = False

    def heard(self, announced: Collection[str]) -> frozenset[str]:
        """What of ``announced`` may change the result."""
        return frozenset(announced) if self.required_apis is None else self.required_apis & frozenset(announced)

    @property
    def objects(self) -> int:
        return sum(len(group.manifests) for group in self.groups)


def read(component: Component, locked: LockedComponent, toolbox: Toolbox) -> RenderedComponent | None:
    """What `mine` wrote for the component, valid or not; None where the folder is not there."""
    folder = f"input/{sourced_folder(component)}"
    tree = toolbox.files.read_tree(folder)
    if tree is None:
        return None
    found, is_kept = render_jobs.made(render_jobs.of_folder(tree, folder, component), toolbox.renderer)
    return RenderedComponent(
        component=component.name,
        groups=(ObjectGroup(origin=folder, manifests=found),),
        required_apis=None if _ANY in locked.required_apis else frozenset(locked.required_apis),
        kept=tree.digest,
        is_cached=is_kept,
    )


def written(made: RenderedComponent, component: Component, folder: str, excluded: Collection[str] = ()) -> tuple[FileTree, RenderedComponent]:
    """The folder: one object to a file, as it was rendered; and what `read` will give of it, so that both runs agree.

    Objects that are called as in ``excluded`` are left out. Of two that come twice from different sources the later one
    stays, if the component says so.
    """
    groups = [group.manifests for group in made.groups]
    if component.later_replaces and len(groups) > 1:
        groups = [duplicates.within(groups, later_replaces=True).manifests]
    files: dict[str, Manifest] = {}
    for manifest in chain.from_iterable(groups):
        if names(manifest).isdisjoint(excluded):
            name = _free(manifest.id.file_name, files, manifest)
            place = Provenance(component=component.name, origin=f"{folder}/{name}:1")
            files[name] = replace(manifest, provenance=place)
    tree = FileTree({name: manifest.text for name, manifest in files.items()})
    group = ObjectGroup(origin=folder, manifests=tuple(files[name] for name in tree))
    return tree, replace(made, groups=(group,))


def is_excluded(manifest: Manifest, component: Component) -> bool:
    """Whether the component's ``exclude`` names the object."""
    return bool(component.exclude) and not names(manifest).isdisjoint(component.exclude)


def names(manifest: Manifest) -> set[str]:
    """What ``exclude`` may call the object: its file, or as the first format does ``Kind_name.yaml``."""
    return {manifest.id.file_name, f"{manifest.id.kind}_{manifest.id.name}.yaml"}


def fingerprint(  # noqa: PLR0913 - everything that decides the result
    component: Component, *, pins: Pins, announced: Collection[str], stack: Stack, toolbox: Toolbox, content: Digest
) -> Digest:
    """The fingerprint that the lock keeps as ``rendered``; ``content`` is the folder's digest."""
    parts = {
        "engine": toolbox.renderer.version if component.helm else "",
        "sources": [str(digest) for digest in pins.digests],
        "values": dict(component.values),
        "release": component.helm.release if component.helm else "",
        "namespace": component.namespace,
        "kubernetes": str(stack.target.kubernetes),
        "announced": sorted(announced),
        "content": str(content),
    }
    return build.key("rendered", orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))


def required_apis_text(made: RenderedComponent) -> tuple[str, ...]:
    """`Made.required_apis` as the lock keeps it."""
    return (_ANY,) if made.required_apis is None else tuple(sorted(made.required_apis))


def _free(name: str, files: Mapping[str, Manifest], manifest: Manifest) -> str:
    """``name``, or with a number where another object that is called so lies there already."""
    number, found = 1, name
    while found in files and files[found].document != manifest.document:
        number += 1
        found = f"{name.removesuffix('.yaml')}~{number}.yaml"
    return found
