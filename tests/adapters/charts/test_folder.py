"""Local charts packed into archives: reproducible, and without ignored files."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.charts import check_archive, pack_folder
from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.rendering import RenderedChart, RenderRequest
from cluster_forge.stack.model import KubernetesVersion

CHART_YAML = b"apiVersion: v2\nname: shop\nversion: 1.10\n"
FOLDER = FileTree(
    {"Chart.yaml": CHART_YAML, "templates/a.yaml": b"a" * 70_000, "templates/.hidden": b"", "bin/run": b"#!/bin/sh"},
    frozenset({"bin/run"}),
)


def unpacked(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: (archive.extractfile(member) or io.BytesIO()).read() for member in archive}


def test_packing_is_reproducible() -> None:
    data = pack_folder(FOLDER, "charts/shop")
    assert data == pack_folder(FileTree(dict(reversed([*FOLDER.files.items()])), FOLDER.executable), "elsewhere")
    assert check_archive(data, "x").version == "1.10"
    assert unpacked(data) == {
        "chart/Chart.yaml": CHART_YAML,
        "chart/bin/run": b"#!/bin/sh",
        "chart/templates/a.yaml": b"a" * 70_000,
    }
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
    assert {(member.mtime, member.uid, member.gid, member.uname, member.gname) for member in members} == {
        (0, 0, 0, "", "")
    }
    assert [oct(member.mode) for member in members] == ["0o644", "0o755", "0o644"]


@given(st.dictionaries(st.from_regex(r"[a-c]{1,3}", fullmatch=True), st.binary(max_size=200_000), max_size=3))
def test_packed_files_are_unpacked(files: dict[str, bytes]) -> None:
    tree = FileTree({**files, "Chart.yaml": CHART_YAML})
    assert unpacked(pack_folder(tree, "x")) == {f"chart/{path}": content for path, content in tree.files.items()}


def test_directory_without_a_valid_chart_yaml_is_refused() -> None:
    with pytest.raises(ArchiveError, match=r"input/x is not a chart: it has no Chart\.yaml"):
        pack_folder(FileTree({"values.yaml": b""}), "input/x")
    with pytest.raises(ArchiveError, match=r"the Chart\.yaml of input/x has no version"):
        pack_folder(FileTree({"Chart.yaml": b"name: x"}), "input/x")


def test_helmignore_is_honored() -> None:
    rules = b"\xef\xbb\xbf# comment\n\n*.bak\n/top.txt\nci/\n  docs/*.md  \nfile/\n"
    kept = ["sub/top.txt", "docs/a.txt", "docs/sub/a.md", "file", ".helmignore", "Chart.yaml"]
    ignored = ["a.bak", "sub/a.bak", "top.txt", "ci/x/y", "sub/ci/z", "docs/a.md", "templates/.x"]
    files = dict.fromkeys(kept + ignored, b"")
    tree = FileTree({**files, ".helmignore": rules, "Chart.yaml": CHART_YAML})
    assert sorted(unpacked(pack_folder(tree, "x"))) == sorted(f"chart/{path}" for path in kept)


@pytest.mark.parametrize("file", ["cert-manager-v1.18.2.tgz", "kyverno-3.4.1.tgz", "metallb-0.15.2.tgz"])
def test_repacked_chart_renders_the_same(corpus: Path, file: str) -> None:
    archive = (corpus / "mirror/charts" / file).read_bytes()
    files = {path.partition("/")[2]: content for path, content in unpacked(archive).items()}

    def rendered(chart: bytes) -> RenderedChart:
        request = RenderRequest(
            chart=chart, values={}, release="r", namespace="n", kubernetes=KubernetesVersion(1, 33), api_versions=()
        )
        return HelmSdk().render(request)

    assert rendered(pack_folder(FileTree(files), file)) == rendered(archive)
