"""From texts to objects: what lies in ``input/``, and what was made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.manifests import batch
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports.rendering import Renderer, RenderJob
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.model import Component
from cluster_forge.stages.toolbox import has_sources, sourced_folder

_YAML = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectGroup:
    """The objects of one entry of a component: its chart, or one URL, file or folder of ``manifests``."""

    origin: str
    manifests: tuple[Manifest, ...]


def made(order: RenderJob, renderer: Renderer) -> tuple[tuple[Manifest, ...], bool]:
    """What came of an order, and whether it was there already.

    Raises:
        RenderError, ArchiveError, ManifestError, ExceptionGroup: see `Maker.make`.
    """
    packed = renderer.render(order)
    return batch.unpack(packed.content, order.component), packed.is_kept


def own(entry: str, component: Component, files: Workspace) -> RenderJob:
    """The order for the objects in one of the component's own files or folders.

    Raises:
        ManifestError: if it is not there.
    """
    return _in_input(f"input/{entry.strip('/')}", component, files)


def written_out(component: Component) -> RenderJob:
    """The order for the objects that the description itself holds."""
    texts = [
        (f"{component.where} objects[{index}]", orjson.dumps(each) + b"\n")
        for index, each in enumerate(component.objects)
    ]
    return RenderJob(component=component.name, where=component.where, texts=texts)


def of_folder(tree: FileTree, folder: str, component: Component) -> RenderJob:
    """The order for the objects in a folder's files."""
    return _order(component, {f"{folder}/{name}": content for name, content in tree.files.items()})


def _in_input(path: str, component: Component, files: Workspace) -> RenderJob:
    tree = files.read_tree(path)
    if tree is None:
        content = files.read(path)
        if content is None:
            raise ManifestError(f"component {component.name}: there is no {path}", where=component.where)
        return _order(component, {path: content})
    mined = f"input/{sourced_folder(component)}/"
    passes_over = has_sources(component) and not f"{path}/".startswith(mined)
    found = {f"{path}/{name}": content for name, content in tree.files.items()}
    return _order(
        component, {file: content for file, content in found.items() if not (passes_over and file.startswith(mined))}
    )


def _order(component: Component, files: Mapping[str, bytes]) -> RenderJob:
    texts = tuple((file, content) for file, content in files.items() if file.endswith(_YAML))
    return RenderJob(component=component.name, where=component.where, texts=texts)
