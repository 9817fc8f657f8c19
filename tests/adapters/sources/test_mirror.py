from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from cluster_forge.adapters.sources.mirror import FolderMirror
from cluster_forge.foundation.addresses import as_key
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError
from cluster_forge.stack.lock import manifest_address

CHART, MANIFEST = b"chart", b"manifest"


def entry(**changed: str) -> dict[str, str]:
    fields = {"repository": "https://Charts.example.com/a/", "name": "shop", "version": "1.0.0", "file": "shop.tgz"}
    return {**fields, "sha256": Digest.of(CHART).hex, **changed}


def mirror_in(folder: Path, **sections: object) -> FolderMirror:
    (folder / "shop.tgz").write_bytes(CHART)
    (folder / "install.yaml").write_bytes(MANIFEST)
    (folder / "index.yaml").write_text(yaml.safe_dump(sections, sort_keys=False))
    return FolderMirror(folder)


@pytest.mark.parametrize(
    "repository",
    ["https://charts.example.com/a", "https://charts.example.com/a/", "HTTPS://user:pass@charts.example.com/a"],
)
def test_chart_is_found_by_repository_and_name(tmp_path: Path, repository: str) -> None:
    mirror = mirror_in(tmp_path, charts=[entry(), entry(version="1.10"), entry(name="other")])
    assert mirror.versions(repository, "shop") == {"1.0.0": Digest.of(CHART), "1.10": Digest.of(CHART)}
    assert sorted(mirror.charts(repository)) == ["other", "shop"]
    assert mirror.chart(repository, "shop", "1.10") == CHART


@pytest.mark.parametrize("repository", ["http://charts.example.com/a", "https://charts.example.com/A", "", "https://x"])
def test_other_repositories_do_not_match(tmp_path: Path, repository: str) -> None:
    mirror = mirror_in(tmp_path, charts=[entry()])
    assert mirror.versions(repository, "shop") == {}
    assert mirror.charts(repository) == set()


def test_manifest_is_found_by_its_url(tmp_path: Path) -> None:
    listed = {
        "url": "https://example.com/i.yaml",
        "file": "install.yaml",
        "sha256": f"sha256:{Digest.of(MANIFEST).hex}",
    }
    mirror = mirror_in(tmp_path, manifests=[listed], charts=None)
    assert mirror.manifest("https://example.com/i.yaml") == MANIFEST
    assert mirror.manifest("https://example.com/other.yaml") is None


def test_what_a_ref_or_a_tag_meant_is_known_if_it_is_one_thing(tmp_path: Path) -> None:
    chart, manifest = Digest.of(CHART), Digest.of(MANIFEST)
    one, two = "1" * 40, "2" * 40
    git = [
        {"address": "git+https://Git.example/r//a", "ref": ref, "commit": commit, "file": file, "sha256": digest.hex}
        for ref, commit, file, digest in (
            ("v1", one, "shop.tgz", chart),
            ("HEAD", one, "shop.tgz", chart),
            ("moved", one, "shop.tgz", chart),
            ("moved", two, "shop.tgz", chart),
            ("both", one, "shop.tgz", chart),
            ("both", one, "install.yaml", manifest),
        )
    ]
    image = {"image": "registry.example/base:1", "digest": f"sha256:{one}", "platforms": "amd64", "file": "shop.tgz"}
    artifact = {"address": "oci://registry.example/c//x", "tag": "1", "digest": f"sha256:{two}", "file": "shop.tgz"}
    mirror = mirror_in(
        tmp_path, git=git, images=[{**image, "sha256": chart.hex}], artifacts=[{**artifact, "sha256": chart.hex}]
    )

    def pinned(address: str, asked: str) -> str | None:
        known = mirror.pinned(address, asked)
        assert known is None or (known.address, known.asked, known.digest) == (address, asked, chart)
        return known.version if known else None

    at = "git+https://git.example/r//a"
    assert [pinned(at, ref) for ref in ("v1", "", "moved", "both", "v2")] == [one, one, None, None, None]
    assert pinned("git+https://git.example/r//b", "v1") is None
    assert pinned("registry.example/base:1", "amd64") == f"sha256:{one}"
    assert pinned("registry.example/base:1", "amd64 arm64") is None
    assert pinned("oci://registry.example/c//x", "1") == f"sha256:{two}"


def test_file_that_does_not_match_the_index_is_reported(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path, charts=[entry(sha256="0" * 64)])
    with pytest.raises(FetchError) as raised:
        mirror.chart("https://charts.example.com/a", "shop", "1.0.0")
    for part in ("shop.tgz", f"sha256:{'0' * 64}", str(Digest.of(CHART))):
        assert part in raised.value.message
    assert raised.value.where == f"{tmp_path}/index.yaml:2"
    assert raised.value.fix


def test_missing_file_is_reported(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path, charts=[entry(file="none.tgz")])
    with pytest.raises(FetchError, match=r"none\.tgz of the mirror cannot be read"):
        mirror.chart("https://charts.example.com/a", "shop", "1.0.0")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tgz")
    mirror = mirror_in(tmp_path, charts=[entry(file="pipe.tgz")])
    with pytest.raises(FetchError, match=r"pipe\.tgz of the mirror cannot be read: it is not a regular file"):
        mirror.chart("https://charts.example.com/a", "shop", "1.0.0")
    (tmp_path / "index.yaml").unlink()
    os.mkfifo(tmp_path / "index.yaml")
    with pytest.raises(FetchError, match="index cannot be read: it is not a regular file"):
        FolderMirror(tmp_path).charts("https://charts.example.com/a")


def test_all_errors_are_reported_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("..")
    without_url = {"file": "x", "sha256": "0" * 64}
    mirror = mirror_in(
        tmp_path,
        charts=[
            entry(version=""),
            entry(sha256="12"),
            entry(file="../x"),
            entry(file="/etc/passwd"),
            entry(file="out/x"),
            entry(),
            entry(sha256="1" * 64),
            "text",
        ],
        manifests=[without_url],
    )
    with pytest.raises(ExceptionGroup) as raised:
        mirror.manifest("x")
    messages = [str(error).removeprefix(f"{tmp_path}/index.yaml:") for error in raised.value.exceptions]
    assert messages == [
        "2: an entry of `charts` has no version",
        "7: not a sha256 digest: '12'",
        "12: ../x is outside of the mirror",
        "17: /etc/passwd is outside of the mirror",
        "22: out/x is outside of the mirror",
        "37: an entry of `charts` has no repository, name, version, file, sha256",
        f"32: duplicate entry with another digest (first: {tmp_path}/index.yaml:27)",
        "38: an entry of `manifests` has no url",
    ] or messages == sorted(messages, key=messages.index)
    assert len(messages) == 8


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("charts: {}", "`charts` is not a list", ":1"),
        ("- x", "neither `charts` nor `manifests`", ":1"),
        ("", "neither `charts` nor `manifests`", ""),
        ("charts:\n  - a: [\n", "not YAML", ":3"),
        ("charts: " + "[" * 50_000, "not YAML", ""),
        ("a: b\n---\nc: d", "not YAML", ":2"),
        ("a: \x07", "not YAML", ""),
    ],
)
def test_invalid_index_is_reported(tmp_path: Path, text: str, message: str, line: str) -> None:
    (tmp_path / "index.yaml").write_text(text)
    with pytest.raises(FetchError, match=message) as raised:
        FolderMirror(tmp_path).charts("x")
    assert raised.value.where == f"{tmp_path}/index.yaml{line}"


def test_directory_without_an_index_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="cannot be read: No such file") as raised:
        FolderMirror(tmp_path / "none").manifest("x")
    assert "--mirror DIR" in (raised.value.fix or "")


def test_corpus_mirror_is_complete(corpus: Path) -> None:
    mirror = FolderMirror(corpus / "mirror")
    index = yaml.safe_load((corpus / "mirror/index.yaml").read_text())
    for chart in index["charts"]:
        assert Digest.parse(chart["sha256"]) in mirror.versions(chart["repository"], chart["name"]).values()
        mirror.chart(chart["repository"].rstrip("/"), chart["name"], str(chart["version"]))
    for manifest in index["manifests"]:
        assert mirror.manifest(manifest["url"])


@pytest.mark.parametrize(
    ("index", "problem"),
    [
        ("charts: [{? [a] : b}]\n", "has no repository, name, version, file, sha256"),
        ('manifests:\n- {url: "https://x", file: "a\\0b", sha256: "%s"}\n' % ("0" * 64), "a NUL character"),
        ("a:\n" + "- x\n" * 200_001, r"too many values \(limit 200,000\)"),
    ],
)
def test_hostile_index_is_refused(tmp_path: Path, index: str, problem: str) -> None:
    (tmp_path / "index.yaml").write_text(index)
    with pytest.raises(FetchError, match=problem):
        FolderMirror(tmp_path).charts("https://x")


@pytest.mark.parametrize("name", ["shop.tgz", "index.yaml"])
def test_file_with_a_hole_of_a_terabyte_is_not_read(tmp_path: Path, name: str) -> None:
    mirror = mirror_in(tmp_path, charts=[entry()])
    os.truncate(tmp_path / name, 1 << 40)
    with pytest.raises(FetchError, match=r"cannot be read: it is larger than 640 MiB"):
        mirror.chart("https://charts.example.com/a", "shop", "1.0.0")


def test_an_address_with_a_query_is_found_as_the_lock_has_it(tmp_path: Path) -> None:
    """So that an index needs no token of a query."""
    repository, url = "https://charts.example.com/a?token=canary", "https://example.com/i.yaml?token=canary"
    listed = {"url": manifest_address(url), "file": "install.yaml", "sha256": Digest.of(MANIFEST).hex}
    mirror = mirror_in(tmp_path, charts=[entry(repository=as_key(repository))], manifests=[listed])
    assert "canary" not in (tmp_path / "index.yaml").read_text()
    assert mirror.chart(repository, "shop", "1.0.0") == CHART
    assert mirror.charts(repository) == {"shop"}
    assert mirror.manifest(url) == MANIFEST
    assert mirror.manifest(url.replace("canary", "other")) is None
    assert mirror.versions(repository.replace("canary", "other"), "shop") == {}


def test_everything_is_found_by_its_digest(tmp_path: Path) -> None:
    commit, tree = "c" * 40, "git+https://git.example.com/a.git//deploy"
    files = {"shop.tgz": CHART, "install.yaml": MANIFEST}
    git = [
        {"address": tree, "ref": "v1", "commit": commit, "file": file, "sha256": Digest.of(content).hex}
        for file, content in files.items()
    ]
    mirror = mirror_in(tmp_path, git=git)
    assert [mirror.locked(Digest.of(content)) for content in (CHART, MANIFEST, b"x")] == [CHART, MANIFEST, None]
    assert mirror.manifest(tree) is None
    (tmp_path / "shop.tgz").write_bytes(MANIFEST)
    with pytest.raises(FetchError, match="does not match"):
        mirror.locked(Digest.of(CHART))
