"""Charts and manifests in Git as locked sources, and charts that depend on folders beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.git_worktree import Worktree
from tests.stack_sources import stack_sources

from cluster_forge.adapters.git.offline import OfflineTrees
from cluster_forge.adapters.git.remote_trees import RemoteTrees
from cluster_forge.adapters.http.offline import OfflineDownloads
from cluster_forge.adapters.sources import StackSources
from cluster_forge.foundation import chart_archives, tree_archives
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import (
    ArchiveError,
    DescriptionError,
    FetchError,
    ForgeError,
    LockError,
    OfflineError,
)
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import LockedSource

CHART = "apiVersion: v2\nname: shop\nversion: 1.2.3\n"
COMMON = "apiVersion: v2\nname: common\nversion: 2.0.1\n"
NEEDS_COMMON = f"{CHART}dependencies:\n- {{name: common, version: ^2.0, repository: file://../common}}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Worktree:
    work = Worktree(tmp_path / "repo")
    work.commit({"charts/shop/Chart.yaml": CHART, "deploy/a.yaml": "a: 1\n", "deploy/README.md": "hi\n"}, tag="v1")
    return work


@pytest.fixture
def sources(tmp_path: Path) -> StackSources:
    return stack_sources(tmp_path / "store", tmp_path / "workspace", OfflineDownloads())


def helm(repository: Worktree, chart: str = "shop", ref: str = "@v1", version: str = "") -> HelmSource:
    return HelmSource(chart=chart, release="shop", repository=f"{repository.address}{ref}//charts", version=version)


def names(sources: StackSources, locked: LockedSource) -> list[str]:
    archive = sources.store.get(locked.digest)
    assert archive
    return [name for name, _ in chart_archives.opened(archive).files()]


def test_the_lock_has_the_ref_the_commit_and_the_digest_of_the_files(
    repository: Worktree, sources: StackSources
) -> None:
    locked = sources.chart(helm(repository), None)
    assert locked.address == f"{repository.address}//charts shop"
    assert (locked.asked, locked.version) == ("v1", repository.git("rev-parse", "v1"))
    assert names(sources, locked) == ["chart/Chart.yaml"]


def test_what_is_locked_and_stored_is_not_fetched(repository: Worktree, sources: StackSources) -> None:
    locked = sources.chart(helm(repository), None)
    repository.commit({"charts/shop/Chart.yaml": CHART.replace("1.2.3", "1.2.4")}, tag="v1")
    assert sources.chart(helm(repository), locked) == locked


def test_a_moved_tag_is_found_where_the_store_is_empty(repository: Worktree, tmp_path: Path) -> None:
    def fresh(name: str) -> StackSources:
        return stack_sources(tmp_path / name, tmp_path / "workspace", OfflineDownloads())

    locked = fresh("one").chart(helm(repository), None)
    repository.commit({"charts/shop/Chart.yaml": CHART.replace("1.2.3", "1.2.4")}, tag="v1")
    with pytest.raises(LockError, match=locked.version) as caught:
        fresh("two").chart(helm(repository), locked)
    assert repository.git("rev-parse", "v1") in str(caught.value)
    branch = helm(repository, ref="@main")
    assert fresh("three").chart(branch, locked).digest == locked.digest


def test_the_same_commit_with_other_files_is_an_error(repository: Worktree, sources: StackSources) -> None:
    locked = sources.chart(helm(repository), None)
    other = LockedSource(address=locked.address, asked="v1", version=locked.version, digest=Digest.of(b"other"))
    with pytest.raises(LockError, match="has changed: the lock has sha256"):
        sources.chart(helm(repository), other)


def test_manifests_are_the_yaml_files_by_their_paths(repository: Worktree, sources: StackSources) -> None:
    for path in ("deploy", "deploy/a.yaml"):
        locked = sources.manifest(f"{repository.address}@v1//{path}", None)
        assert locked.address == f"{repository.address}//{path}"
        archive = sources.store.get(locked.digest)
        assert archive
        assert tree_archives.unpacked(archive, "it").files == {"deploy/a.yaml": b"a: 1\n"}


def test_the_whole_tree_is_there_for_kustomizations(repository: Worktree, sources: StackSources) -> None:
    locked = sources.tree(GitAddress.parse(f"{repository.address}@v1//deploy"), None)
    archive = sources.store.get(locked.digest)
    assert archive
    assert set(tree_archives.unpacked(archive, "it")) == {"charts/shop/Chart.yaml", "deploy/README.md", "deploy/a.yaml"}
    assert sources.tree(GitAddress.parse(f"{repository.address}@v1//deploy"), locked) == locked


def test_a_path_without_manifests(repository: Worktree, sources: StackSources) -> None:
    with pytest.raises(DescriptionError, match="has no YAML or JSON file"):
        sources.manifest(f"{repository.address}@v1//deploy/README.md", None)


def test_a_version_must_be_that_of_the_chart(repository: Worktree, sources: StackSources) -> None:
    assert sources.chart(helm(repository, version="^1.2"), None).version == repository.git("rev-parse", "v1")
    with pytest.raises(DescriptionError, match=r"is version 1\.2\.3, and `version: \^2` is asked for"):
        sources.chart(helm(repository, version="^2"), None)


def test_a_folder_without_a_chart(repository: Worktree, sources: StackSources) -> None:
    repository.commit({"charts/none/x": ""}, tag="v2")
    with pytest.raises(ArchiveError, match=r"it has no Chart\.yaml"):
        sources.chart(helm(repository, chart="none", ref="@v2"), None)
    with pytest.raises(DescriptionError, match="did you mean 'shop'"):
        sources.chart(helm(repository, chart="shopp"), None)


def test_offline_names_what_is_missing(tmp_path: Path) -> None:
    sources = stack_sources(
        tmp_path / "store",
        tmp_path,
        OfflineDownloads(),
        trees=lambda: OfflineTrees(local=RemoteTrees()),
    )
    source = HelmSource(chart="shop", release="shop", repository="git+https://git.example.com/repo@v1//charts")
    with pytest.raises(OfflineError, match=r"--offline: git\+https://git\.example\.com/repo@v1//charts/shop"):
        sources.chart(source, None)


def test_a_chart_is_packed_with_the_folders_that_it_depends_on(repository: Worktree, sources: StackSources) -> None:
    repository.commit({"charts/shop/Chart.yaml": NEEDS_COMMON, "charts/common/Chart.yaml": COMMON}, tag="v2")
    locked = sources.chart(helm(repository, ref="@v2"), None)
    assert names(sources, locked) == ["chart/Chart.yaml", "chart/charts/common-2.0.1.tgz"]
    assert sources.dependencies(helm(repository, ref="@v2"), locked) == []


def local(tmp_path: Path, files: dict[str, str]) -> HelmSource:
    for path, text in files.items():
        place = tmp_path / "workspace/input" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return HelmSource(chart="shop", release="shop")


def test_a_local_chart_too(tmp_path: Path, sources: StackSources) -> None:
    source = local(tmp_path, {"shop/Chart.yaml": NEEDS_COMMON, "common/Chart.yaml": COMMON})
    assert names(sources, sources.chart(source, None)) == ["chart/Chart.yaml", "chart/charts/common-2.0.1.tgz"]


@pytest.mark.parametrize(
    ("files", "error", "said"),
    [
        ({}, DescriptionError, "there is no folder input/common"),
        ({"common/Chart.yaml": COMMON.replace("2.0.1", "3.0.0")}, DescriptionError, "input/common is version 3.0.0"),
        (
            {
                "common/Chart.yaml": f"{COMMON}dependencies:\n- {{name: x, version: 1.0.0, repository: https://x.example}}\n"
            },
            ArchiveError,
            "input/common depends on x, which is not in its charts/",
        ),
        (
            {
                "common/Chart.yaml": f"{COMMON}dependencies:\n- {{name: shop, version: 1.2.3, repository: file://../shop}}\n"
            },
            DescriptionError,
            "in a cycle",
        ),
        (
            {"shop/Chart.yaml": NEEDS_COMMON.replace("../common", "../../../etc")},
            DescriptionError,
            "../etc is outside of what is read",
        ),
        (
            {"shop/Chart.yaml": NEEDS_COMMON.replace("../common", "/etc")},
            DescriptionError,
            "/etc is outside of what is read",
        ),
    ],
)
def test_folders_that_cannot_be_depended_on(
    tmp_path: Path, sources: StackSources, files: dict[str, str], error: type[ForgeError], said: str
) -> None:
    source = local(tmp_path, {"shop/Chart.yaml": NEEDS_COMMON, **files})
    with pytest.raises(error, match=said) as caught:
        sources.chart(source, None)
    assert caught.value.where


def test_what_a_repository_must_have_is_listed(tmp_path: Path, sources: StackSources) -> None:
    source = local(
        tmp_path, {"shop/Chart.yaml": NEEDS_COMMON.replace("file://../common", "https://charts.example.com")}
    )
    chart = sources.chart(source, None)
    (dependency,) = sources.dependencies(source, chart)
    assert dependency.source == HelmSource(
        chart="common", release="common", repository="https://charts.example.com", version="^2.0"
    )
    with pytest.raises((FetchError, OfflineError)):
        sources.chart(dependency.source, None)
