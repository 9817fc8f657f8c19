"""The render jobs of a component, one for each of its sources and entries, and running them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

from cluster_forge.foundation import tree_archives
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.manifests import batch
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.remark import Remark
from cluster_forge.ports.rendering import Renderer, RenderJob, RenderRequest
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.component import Component, KustomizeSource
from cluster_forge.stack.saved_folders import patches_folder
from cluster_forge.stages.build.rendering import object_of_files
from cluster_forge.stages.build.rendering.component_sources import has_sources, sourced_folder

_YAML = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectGroup:
    """The objects of one render job, and remarks about its chart; ``is_cached`` if they came from the cache."""

    manifests: tuple[Manifest, ...]
    remarks: tuple[Remark, ...] = ()
    is_cached: bool = False


def run(job: RenderJob, renderer: Renderer) -> ObjectGroup:
    """Run a job.

    Raises:
        RenderError, ArchiveError, ManifestError, ExceptionGroup: see `Renderer.render`.
    """
    rendered = renderer.render(job)
    manifests, remarks = batch.unpack_all(rendered.content, job.component)
    return ObjectGroup(manifests=manifests, remarks=remarks, is_cached=rendered.is_cached)


def of_chart(request: RenderRequest, component: Component) -> RenderJob:
    """The job for the component's chart."""
    return RenderJob(
        component=component.name,
        where=component.where,
        null_places={place.keys: place.where for place in component.null_places},
        chart=request,
    )


def of_kustomization(source: KustomizeSource, text: bytes, component: Component) -> RenderJob:
    """The job for what kustomize wrote for the component's kustomization."""
    return RenderJob(component=component.name, where=component.where, texts=[(f"kustomize build {source}", text)])


def of_url(url: str, content: bytes, component: Component) -> RenderJob:
    """The job for the manifests that a URL serves, or that a file or folder in Git has.

    Raises:
        ArchiveError: if what was fetched from Git is damaged.
    """
    if is_git(url):
        address = GitAddress.parse(url)
        tree = tree_archives.unpacked(content, str(address))
        return of_folder(tree, str(replace(address, path="")) + "/", component)
    return RenderJob(component=component.name, where=component.where, texts=[(without_credentials(url), content)])


def of_entry(entry: str, component: Component, files: Workspace) -> RenderJob:
    """The job for an entry of ``manifests`` in ``input/``, a file or a folder. What `mine` wrote there is left out, and so are
    saved patches.

    Raises:
        ManifestError: if it does not exist.
    """
    path = f"input/{entry.strip('/')}"
    tree = files.read_tree(path)
    if tree is None:
        content = files.read(path)
        if content is None:
            raise ManifestError(
                f"component {component.name}: there is no {path}",
                where=component.where,
                fix="create it, or correct the entry of `manifests`; paths are relative to input/",
            )
        return _of_files({path: content}, component)
    sourced = f"input/{sourced_folder(component)}/"
    left_out = [f"{patches_folder(component.name)}/"]
    if has_sources(component) and not f"{path}/".startswith(sourced):
        left_out.append(sourced)
    texts = {f"{path}/{name}": content for name, content in tree.files.items()}
    return _of_files(
        {file: content for file, content in texts.items() if not file.startswith(tuple(left_out))}, component
    )


def of_description(component: Component, files: Workspace) -> RenderJob:
    """The job for what the description itself has: ``objects``, and ConfigMaps and Secrets with the content of files.

    Raises:
        ManifestError: if a file does not exist.
    """
    places = component.object_places or (component.where,) * len(component.objects)
    objects = [(place, orjson.dumps(body) + b"\n") for place, body in zip(places, component.objects, strict=True)]
    of_files = [(described.where, object_of_files.text(described, files)) for described in component.objects_of_files]
    return RenderJob(component=component.name, where=component.where, texts=[*objects, *of_files])


def has_description_objects(component: Component) -> bool:
    """Whether the description itself has objects of the component."""
    return bool(component.objects or component.objects_of_files)


def of_folder(tree: FileTree, folder: str, component: Component) -> RenderJob:
    """The job for the files of a folder."""
    return _of_files({f"{folder}/{name}": content for name, content in tree.files.items()}, component)


def _of_files(files: Mapping[str, bytes], component: Component) -> RenderJob:
    texts = tuple((file, content) for file, content in files.items() if file.endswith(_YAML))
    return RenderJob(component=component.name, where=component.where, texts=texts)
