from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster_forge.adapters.sources.mirror import FolderMirror
from cluster_forge.adapters.sources.mirror_writer import FolderWriter
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError, WorkspaceError
from cluster_forge.ports.mirrors import MirrorWriter
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import LockedSource, chart_address, manifest_address

REPOSITORY, URL = "https://charts.example.com/a", "https://example.com/x/crds.yaml"
CHART, OTHER, MANIFEST = b"chart", b"other", b"a: b\n"


def chart(content: bytes = CHART, version: str = "1.0.0", repository: str = REPOSITORY) -> LockedSource:
    source = HelmSource(chart="shop", release="shop", repository=repository)
    return LockedSource(address=chart_address(source), asked=">=1", version=version, digest=Digest.of(content))


def manifest(url: str = URL, content: bytes = MANIFEST) -> LockedSource:
    return LockedSource(address=manifest_address(url), digest=Digest.of(content))


def content_of(source: LockedSource) -> bytes:
    return next(content for content in (CHART, OTHER, MANIFEST) if Digest.of(content) == source.digest)


def unexpected(source: LockedSource) -> bytes:
    pytest.fail(f"{source.address} is there already")


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_written_is_what_a_mirror_reads(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "mirror"
    subject: MirrorWriter = FolderWriter(folder)
    wanted = [chart(), chart(OTHER, "2.0.0+build"), manifest(), manifest(f"{URL}?token=canary")]
    assert subject.write(wanted, content_of) == wanted
    read = FolderMirror(folder)
    assert read.versions(f"{REPOSITORY}/", "shop") == {"1.0.0": Digest.of(CHART), "2.0.0+build": Digest.of(OTHER)}
    assert read.chart(REPOSITORY, "shop", "2.0.0+build") == OTHER
    assert read.manifest(URL) == read.manifest(f"{URL}?token=canary") == MANIFEST
    assert read.manifest(f"{URL}?token=other") is None
    assert sorted(files(folder)) == [
        f"charts/shop-1.0.0-{Digest.of(CHART).hex[:12]}.tgz",
        f"charts/shop-2.0.0+build-{Digest.of(OTHER).hex[:12]}.tgz",
        "index.yaml",
        f"manifests/crds-{Digest.of(MANIFEST).hex[:12]}.yaml",
    ]
    assert b"canary" not in (folder / "index.yaml").read_bytes()
    check = subject.check(wanted)
    assert (check.files, check.problems) == (3, ())


def test_what_is_in_git(tmp_path: Path) -> None:
    """A chart, manifests and a whole tree of one commit, the last two at the same address."""
    commit, repository = "abcdef0123456789" * 2 + "00000000", "git+https://git.example.com/a.git"
    wanted = [
        LockedSource(address=f"{repository}//charts/shop shop", asked="v1", version=commit, digest=Digest.of(CHART)),
        LockedSource(address=f"{repository}//deploy", asked="v1", version=commit, digest=Digest.of(MANIFEST)),
        LockedSource(address=f"{repository}//deploy", asked="v1", version=commit, digest=Digest.of(OTHER)),
    ]
    subject = FolderWriter(tmp_path)
    subject.write(wanted, content_of)
    assert sorted(path for path in files(tmp_path) if path.startswith("git/")) == sorted(
        f"git/{name}-abcdef012345-{Digest.of(content).hex[:12]}.tgz"
        for name, content in (("shop", CHART), ("deploy", MANIFEST), ("deploy", OTHER))
    )
    assert subject.check(wanted).problems == ()
    assert [FolderMirror(tmp_path).locked(source.digest) for source in wanted] == [CHART, MANIFEST, OTHER]
    before = files(tmp_path)
    assert subject.write(wanted[::-1], unexpected) == []
    assert files(tmp_path) == before


def test_base_images(tmp_path: Path) -> None:
    """One for each choice of architectures; found by its digest."""
    digest = str(Digest.of(b"index"))
    wanted = [
        LockedSource(address=f"r.example:5000/team/base{tag}", asked=asked, version=digest, digest=Digest.of(content))
        for tag, asked, content in (
            (":1.0", "amd64", CHART),
            (":1.0", "amd64 arm64", OTHER),
            (f"@sha256:{'0' * 64}", "amd64", MANIFEST),
        )
    ]
    FolderWriter(tmp_path).write(wanted, content_of)
    assert sorted(path.split("-")[0] for path in files(tmp_path)) == [
        *("images/base", "images/base", "images/base", "index.yaml")
    ]
    assert FolderWriter(tmp_path).check(wanted).problems == ()
    assert [FolderMirror(tmp_path).locked(source.digest) for source in wanted] == [CHART, OTHER, MANIFEST]


def test_the_same_bytes_in_any_order_and_in_any_number_of_steps(tmp_path: Path) -> None:
    wanted = [chart(), chart(OTHER, "2.0.0"), manifest()]
    FolderWriter(tmp_path / "once").write(wanted, content_of)
    for source in reversed(wanted):
        FolderWriter(tmp_path / "steps").write([source], content_of)
    assert files(tmp_path / "steps") == files(tmp_path / "once")


def test_only_what_is_missing_or_damaged_is_written(tmp_path: Path) -> None:
    subject = FolderWriter(tmp_path)
    subject.write([chart(), manifest()], content_of)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    assert subject.write([manifest(), chart()], unexpected) == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == before
    next(tmp_path.glob("charts/*")).write_bytes(b"rotten")
    assert subject.write([chart(), manifest()], content_of) == [chart()]
    assert subject.check([chart(), manifest()]).problems == ()


def test_a_source_that_changed_replaces_its_entry(tmp_path: Path) -> None:
    subject = FolderWriter(tmp_path)
    subject.write([chart()], content_of)
    subject.write([chart(OTHER)], content_of)
    assert FolderMirror(tmp_path).chart(REPOSITORY, "shop", "1.0.0") == OTHER


def test_all_problems_are_found_at_once(tmp_path: Path) -> None:
    subject = FolderWriter(tmp_path)
    subject.write([chart(), chart(OTHER, "2.0.0"), manifest()], content_of)
    next(tmp_path.glob("charts/*2.0.0*")).write_bytes(b"rotten")
    next(tmp_path.glob("manifests/*")).unlink()
    wanted = [chart(OTHER), chart(version="3.0.0"), manifest(f"{URL}?2")]
    problems = [f"{problem} {problem.fix}" for problem in subject.check(wanted).problems]
    index = tmp_path / "index.yaml"
    for number, part in enumerate(
        (
            "2.0.0",
            "cannot be read",
            f"1.0.0 has another digest than in the lock: the lock has {Digest.of(OTHER)}, the mirror {Digest.of(CHART)}",
            f"{REPOSITORY} shop 3.0.0 is not in the mirror",
            f"{manifest_address(f'{URL}?2')} is not in the mirror",
        )
    ):
        assert part in problems[number]
        assert problems[number].startswith(str(index))
    assert len(problems) == 5


def a_file(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")


def an_index(folder: Path) -> None:
    (folder / "index.yaml").write_text("charts: []\n")


def a_link_to_an_index(folder: Path) -> None:
    (folder.parent / "elsewhere.yaml").write_text("# Written by `cluster-forge mirror create`\n")
    (folder / "index.yaml").symlink_to(folder.parent / "elsewhere.yaml")


def a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "index.yaml")


def a_link_for_charts(folder: Path) -> None:
    FolderWriter(folder).write([], content_of)
    (folder.parent / "elsewhere").mkdir()
    (folder / "charts").symlink_to(folder.parent / "elsewhere")


def a_link_for_a_chart(folder: Path) -> None:
    FolderWriter(folder).write([], content_of)
    (folder / "charts").mkdir()
    (folder.parent / "elsewhere.tgz").write_bytes(b"mine")
    (folder / "charts" / f"shop-1.0.0-{Digest.of(CHART).hex[:12]}.tgz").symlink_to(folder.parent / "elsewhere.tgz")


def another_chart(folder: Path) -> None:
    FolderWriter(folder).write([], content_of)
    (folder / "charts").mkdir()
    (folder / "charts" / f"shop-1.0.0-{Digest.of(CHART).hex[:12]}.tgz").write_bytes(b"mine")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize(
    "obstacle",
    [a_file, an_index, a_link_to_an_index, a_pipe, a_link_for_charts, a_link_for_a_chart, another_chart],
)
def test_files_of_others_stay(tmp_path: Path, obstacle: Callable[[Path], None]) -> None:
    folder = tmp_path / "mirror"
    folder.mkdir()
    obstacle(folder)
    before = files(tmp_path)
    with pytest.raises(WorkspaceError) as raised:
        FolderWriter(folder).write([chart()], content_of)
    assert str(folder) in str(raised.value.where)
    assert raised.value.fix
    assert files(tmp_path) == before
    assert not list(tmp_path.glob("elsewhere/*"))


def test_a_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "mirror").write_text("mine")
    with pytest.raises(WorkspaceError, match="the mirror cannot be written"):
        FolderWriter(tmp_path / "mirror").write([chart()], content_of)


def test_a_failure_leaves_a_mirror_without_entries_that_have_no_file(tmp_path: Path) -> None:
    def torn(source: LockedSource) -> bytes:
        if source.version == "2.0.0":
            raise KeyboardInterrupt
        return content_of(source)

    subject = FolderWriter(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        subject.write([chart(), chart(OTHER, "2.0.0")], torn)
    assert subject.check([]).problems == ()
    (tmp_path / ".unfinished" / "1-draft").write_text("of a process that was killed")
    assert subject.write([chart(), chart(OTHER, "2.0.0")], content_of) == [chart(OTHER, "2.0.0")]
    assert subject.check([chart(), chart(OTHER, "2.0.0")]).problems == ()
    assert not (tmp_path / ".unfinished").exists()


@pytest.mark.parametrize(
    ("address", "version", "name"),
    [
        ("https://x.example ../../etc", "1", "charts/etc-1-"),
        ("https://x.example a", "../../../1", "charts/a-..-..-..-1-"),
        ("https://x.example .ssh", "1", "charts/ssh-1-"),
        ("https://x.example a", "1" * 300, "charts/a-" + "1" * 98 + "-"),
        ("https://x.example a", "ü\x1b[31m", "charts/a--31m-"),
        ("https://x.example/", "", "manifests/manifests-"),
        ("https://x.example/a%2f..%2fb.yml", "", "manifests/a-2f..-2fb-"),
    ],
)
def test_names_of_files_are_plain(tmp_path: Path, address: str, version: str, name: str) -> None:
    folder = tmp_path / "mirror"
    source = LockedSource(address=address, version=version, digest=Digest.of(CHART))
    FolderWriter(folder).write([source], content_of)
    (written,) = (path for path in files(tmp_path) if not path.endswith("index.yaml"))
    assert written.startswith(f"mirror/{name}{Digest.of(CHART).hex[:12]}")
    assert FolderWriter(folder).check([source]).problems == ()


def test_a_directory_without_an_index_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="index cannot be read"):
        FolderWriter(tmp_path).check([])
