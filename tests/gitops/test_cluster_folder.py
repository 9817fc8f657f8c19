"""The folder of one cluster in a Git repository for several."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.gitops.conftest import body, crd, part, workload

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import cluster_folder, planning, sync_files
from cluster_forge.gitops.cluster_folder import ClusterFolder
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, RepositorySource, Stack

PARTS = (
    part("shop", [workload("Deployment", "web", "shop"), crd("widgets.example.com")]),
    part("extras", [body("v1", "ConfigMap", "extras", "shop")], wave=1),
    part("a" * 60, [body("v1", "ConfigMap", "long", "shop")], wave=2),
)
"""One has a name so long that those of its Applications are cut."""


def stack(engine: GitOpsEngine, path: str = "platform") -> Stack:
    gitops = GitOps(
        engine=engine, install=False, source=RepositorySource.EXTERNAL, url="https://git.example.com/p.git", path=path
    )
    return Stack(name="demo", gitops=gitops)


def planned(stack: Stack, parts: Sequence[Part] = PARTS) -> DeployPlan:
    return planning.of(stack, parts, FileTree({"HEAD": b"x"}), "c" * 40, sync_files.of(stack, parts)[1])


def repository(stack: Stack, parts: Sequence[Part] = PARTS) -> FileTree:
    objects = {item.path: item.content for one in parts for item in one.objects}
    return FileTree({**objects, **sync_files.of(stack, parts)[0]})


def bodies(tree: FileTree, folder: str) -> list[Body]:
    paths = [path for path in tree if path.startswith(f"{folder}/")]
    return [one for path in paths for one in yaml.safe_load_all(tree[path])]


def place(plan: DeployPlan, *, is_central: bool = False) -> ClusterFolder:
    return cluster_folder.of(plan, "eu-1", yaml.safe_load, is_central=is_central)


@pytest.mark.parametrize("path", ["", "platform", "teams/a"])
def test_argo_cd_reads_the_folder_and_the_tag_of_the_cluster(path: str) -> None:
    described = stack(GitOpsEngine.ARGOCD, path)
    plan = planned(described)
    folder = "/".join(filter(None, (path, "clusters/eu-1")))
    assert place(plan).path == folder
    tree = cluster_folder.files(repository(described), place(plan), yaml.safe_load)
    for application in bodies(tree, "argo-apps"):
        source = application["spec"]["source"]
        assert source["targetRevision"] == f"eu-1/{plan.version}"
        assert source["path"] == folder or source["path"].startswith(f"{folder}/")
        assert application["spec"]["destination"]["server"]
    assert tree["extras/configmap_shop_extras.yaml"] == PARTS[1].objects[0].content
    placed = cluster_folder.placed_plan(plan, place(plan), yaml.safe_load).argocd
    assert placed
    assert (placed.sync.revision, placed.sync.name) == (f"eu-1/{plan.version}", "demo.argo-apps")
    assert yaml.safe_load(placed.sync.documents[0])["spec"]["source"]["path"] == f"{folder}/argo-apps"
    assert plan.argocd
    assert placed.applications == plan.argocd.applications


@pytest.mark.parametrize("path", ["", "platform"])
def test_a_central_one_has_applications_of_each_cluster_and_no_root_in_the_folder(path: str) -> None:
    described = stack(GitOpsEngine.ARGOCD, path)
    plan = planned(described)
    central = place(plan, is_central=True)
    tree = cluster_folder.files(repository(described), central, yaml.safe_load)
    children = bodies(tree, "argo-apps")
    placed = cluster_folder.placed_plan(plan, central, yaml.safe_load).argocd
    assert placed
    *names, root = placed.applications
    assert sorted(names) == sorted(child["metadata"]["name"] for child in children)
    assert {"demo.eu-1.shop", "demo.eu-1.crds.1"} < set(names)
    assert root == placed.sync.name == "demo.eu-1.argo-apps"
    assert all(len(name) <= 63 for name in placed.applications)
    assert set(names) == {
        *(placed.application("demo", str(one.name)) for one in PARTS),
        placed.application("demo", "crds.1"),
    }
    labels = dict(pair.split("=") for pair in placed.selector.split(","))
    for child in children:
        assert child["spec"]["destination"]["name"] == "eu-1"
        assert "server" not in child["spec"]["destination"]
        assert labels.items() <= child["metadata"]["labels"].items()
    own = yaml.safe_load(placed.sync.documents[0])
    assert "name" not in own["spec"]["destination"], "it applies Applications beside itself"


@pytest.mark.parametrize("path", ["", "platform"])
def test_flux_reads_the_folder_and_the_tag_of_the_cluster(path: str) -> None:
    described = stack(GitOpsEngine.FLUX, path)
    plan = planned(described)
    folder = "/".join(filter(None, (path, "clusters/eu-1")))
    tree = cluster_folder.files(repository(described), place(plan), yaml.safe_load)
    found = bodies(tree, "flux")
    (source,) = (one for one in found if one["kind"] == "GitRepository")
    assert source["spec"]["ref"] == {"tag": f"eu-1/{plan.version}"}
    assert source["spec"]["ignore"].splitlines()[-1] == f"!/{folder}"
    syncs = [one for one in found if one["apiVersion"].startswith("kustomize.toolkit.fluxcd.io")]
    assert syncs
    for sync in syncs:
        assert sync["spec"]["path"].startswith(f"./{folder}/flux")
        inner = posixpath.relpath(sync["spec"]["path"], f"./{folder}")
        assert f"{inner}/kustomization.yaml" in tree
    placed = cluster_folder.placed_plan(plan, place(plan), yaml.safe_load).flux
    assert placed
    assert placed.revision == f"eu-1/{plan.version}"
    assert yaml.safe_load(placed.sync.documents[-1])["spec"]["path"] == f"./{folder}/flux"


NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,8}[a-z]", fullmatch=True)


@given(former=st.lists(NAMES, max_size=3).map("/".join), inner=st.lists(NAMES, max_size=3).map("/".join))
def test_what_is_below_the_former_folder_is_at_the_same_place_below_the_new_one(former: str, inner: str) -> None:
    folder = ClusterFolder(cluster="eu", former=former, tag="eu/v-1", is_central=False)
    path = posixpath.join(former, inner).rstrip("/") or "."
    moved = folder.moved(path)
    assert posixpath.relpath(moved, folder.path) == (inner or ".")
    assert folder.moved(f"./{path}").removeprefix("./") == moved
