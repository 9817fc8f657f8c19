"""The folder of one cluster in a Git repository for several, and what the engine's objects of a cast stack say in it.

A cast stack says where its files are in the repository and under which tag. For a cluster both change: they are in
``clusters/<name>`` below that folder, under the tag ``<name>/<version>``. So a cluster stays where it is while others move
on, a new cluster needs no other tag, and going back is one change of one object for each cluster.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import applications, central
from cluster_forge.gitops.component_steps import rendered
from cluster_forge.gitops.flux import kustomizations, sources
from cluster_forge.gitops.parts import CLUSTER_LABEL
from cluster_forge.gitops.plan import ArgoCdPlan, DeployPlan, FluxPlan
from cluster_forge.gitops.steps import documents, joined
from cluster_forge.manifests.manifest import Body

FOLDER: Final = "clusters"
Read = Callable[[str], Any]
"""A YAML document as a tree (`ports.rendering.YamlReader.read`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFolder:
    """``former`` is the folder of the repository that the cast stack names, empty for its root; ``tag`` is the cluster's own.

    ``is_central``: an Argo CD of another cluster delivers to this one, and knows it by its name.
    """

    cluster: str
    former: str
    tag: str
    is_central: bool

    @property
    def path(self) -> str:
        """The folder of the cluster."""
        return "/".join(filter(None, (self.former, FOLDER, self.cluster)))

    def moved(self, path: str) -> str:
        """A path in the repository, in the folder of the cluster: as Argo CD writes it (``.``, ``a/b``) or Flux (``./a/b``)."""
        inner = posixpath.relpath(path, self.former or ".")
        return posixpath.join("." if path.startswith("./") else "", self.path, "" if inner == "." else inner).rstrip(
            "/"
        )


def of(plan: DeployPlan, cluster: str, read: Read, *, is_central: bool) -> ClusterFolder:
    """The folder of a cluster for a stack that an engine delivers."""
    return ClusterFolder(
        cluster=cluster, former=_former(plan, read), tag=f"{cluster}/{plan.version}", is_central=is_central
    )


def placed_plan(plan: DeployPlan, place: ClusterFolder, read: Read) -> DeployPlan:
    """The plan of the cluster: the root of its engine has its folder and its tag."""
    return replace(
        plan,
        argocd=plan.argocd and _argocd(plan, plan.argocd, place, read),
        flux=plan.flux and _flux(plan.flux, place, read),
    )


def files(tree: FileTree, place: ClusterFolder, read: Read) -> FileTree:
    """The files of the stack's repository for the cluster, by their paths in its folder.

    A central Argo CD gets no root from there: its ApplicationSet makes it.
    """
    engines = {path for path in tree if path.partition("/")[0] in (applications.FOLDER, kustomizations.FOLDER)}
    contents = {path: _file(tree[path], place, read) if path in engines else tree[path] for path in tree}
    return FileTree({path: content for path, content in contents.items() if content}, tree.executable)


def _file(content: bytes, place: ClusterFolder, read: Read) -> bytes:
    """The content of one file for the cluster; empty if it is the root of a central Argo CD."""
    bodies = [read(document.decode()) for document in documents(content)]
    if place.is_central and any(map(central.is_root, bodies)):
        return b""
    return joined(rendered(placed(body, place) for body in bodies))


def placed(body: Body, place: ClusterFolder) -> Body:
    """An object of an engine for the cluster; another one as it is."""
    match body["kind"], body["apiVersion"].partition("/")[0]:
        case "Application", engine.GROUP:
            return _application(body, place)
        case "Kustomization", engine.FLUX_GROUP:
            return {**body, "spec": {**body["spec"], "path": place.moved(body["spec"]["path"])}}
        case "GitRepository", sources.GROUP:
            pinned = {"ref": {"tag": place.tag}, "ignore": sources.all_but(place.path)}
            return {**body, "spec": {**body["spec"], **pinned}}
        case _:
            return body


def _application(body: Body, place: ClusterFolder) -> Body:
    source = body["spec"]["source"]
    moved = {**source, "targetRevision": place.tag, "path": place.moved(source["path"])}
    application = {**body, "spec": {**body["spec"], "source": moved}}
    return central.of_cluster(application, place.cluster) if place.is_central else application


def _former(plan: DeployPlan, read: Read) -> str:
    """The folder of the stack in the repository, from the path of the engine's root."""
    sync = plan.argocd.sync if plan.argocd else plan.flux.sync if plan.flux else None
    assert sync is not None, "an engine delivers the stack"
    spec = read(sync.documents[-1].decode())["spec"]
    folder = posixpath.dirname(posixpath.normpath(spec["source"]["path"] if plan.argocd else spec["path"]))
    return "" if folder == "." else folder


def _argocd(plan: DeployPlan, argocd: ArgoCdPlan, place: ClusterFolder, read: Read) -> ArgoCdPlan:
    root = placed(read(argocd.sync.documents[0].decode()), place)
    moved = replace(
        argocd, sync=replace(argocd.sync, documents=rendered([root]), name=root["metadata"]["name"], revision=place.tag)
    )
    if not place.is_central:
        return moved
    names = dict(_names(plan, argocd))
    return replace(
        moved,
        applications=tuple(central.name(plan.stack, place.cluster, names[name]) for name in argocd.applications),
        selector=f"{argocd.selector},{CLUSTER_LABEL}={place.cluster}",
        cluster=place.cluster,
    )


def _names(plan: DeployPlan, argocd: ArgoCdPlan) -> Iterator[tuple[str, str]]:
    """The names of the Applications that a stack may have, each with what it is called after."""
    numbered = (f"crds.{number}" for number in range(1, len(argocd.applications) + 1))
    for folder in (applications.FOLDER, *(str(part.name) for part in plan.parts), *numbered):
        yield applications.name(plan.stack, folder), folder


def _flux(flux: FluxPlan, place: ClusterFolder, read: Read) -> FluxPlan:
    bodies = (placed(read(document.decode()), place) for document in flux.sync.documents)
    return replace(flux, sync=replace(flux.sync, documents=rendered(bodies)), revision=place.tag)
